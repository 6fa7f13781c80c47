//! Development tasks: `cargo xtask serve`, `build`, `test`, `types`.

fn main() -> anyhow::Result<()> {
    std::fs::write("web/src/client/protocol.ts", room::protocol::typescript())?;
    Ok(())
}
