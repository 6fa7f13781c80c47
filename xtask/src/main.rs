//! Development tasks, run as `cargo xtask <task>`.

mod bench;
mod build;
mod install;
mod npm;
mod python;
mod relay;
mod serve;
mod shell;
mod test;
mod types;

use anyhow::bail;

const USAGE: &str = "\
cargo xtask <task>

  serve [flags]    build everything, then run `moim serve` with these flags (http://localhost:4000)
  build            build the page and target/release/moim
  test [--quick]   run every check and test; --quick leaves out browsers
  bench NAME [...] benchmark moim beside its peers (--help lists them)
  types [--check]  write the protocol's TypeScript types, or check that they are current
";

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let task = args.next();
    let rest: Vec<String> = args.collect();
    std::env::set_current_dir(shell::root())?;
    match (task.as_deref(), rest.as_slice()) {
        (Some("serve"), flags) => serve::serve(flags),
        (Some("build"), []) => build::build(),
        (Some("test"), []) => test::test(test::Extent::Whole),
        (Some("test"), [quick]) if quick == "--quick" => test::test(test::Extent::Quick),
        (Some("bench"), arguments) => bench::bench(arguments),
        (Some("types"), []) => types::write(),
        (Some("types"), [check]) if check == "--check" => types::check(),
        (None | Some("help" | "--help" | "-h"), _) => {
            eprint!("{USAGE}");
            Ok(())
        }
        (Some(task), rest) => bail!("unknown task `{task} {}`\n\n{USAGE}", rest.join(" ")),
    }
}
