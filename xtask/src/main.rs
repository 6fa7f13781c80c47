//! Development tasks, run as `cargo xtask <task>`.

mod background;
mod bench;
mod build;
mod cluster;
mod dashboard;
mod install;
mod npm;
#[cfg(unix)]
mod packages;
mod portable;
mod python;
mod relay;
mod reproduce;
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
  deb [BINARY]     build a Debian package in target/packages, of a release build or this binary
  image [BINARY]   build a container image (an OCI layout) in target/packages, likewise
  packages BINARY  check both packages of this binary, as `test` does
  portable         build target/portable/moim for systems with an older glibc (2.28)
  reproduce        build the last commit twice and compare; leaves target/reproduce/moim
  bench NAME [...] benchmark moim beside its peers (--help lists them)
  cluster CHECK    check servers that share rooms (`list` lists the checks)
  dashboard        write the Grafana dashboard
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
        #[cfg(unix)]
        (Some("deb"), []) => packages::deb(None),
        #[cfg(unix)]
        (Some("deb"), [binary]) => packages::deb(Some(binary)),
        #[cfg(unix)]
        (Some("image"), []) => packages::image(None),
        #[cfg(unix)]
        (Some("image"), [binary]) => packages::image(Some(binary)),
        #[cfg(unix)]
        (Some("packages"), [binary]) => packages::check_binary(binary.as_ref()),
        (Some("portable"), []) => portable::portable("release"),
        (Some("portable"), [profile]) => portable::portable(profile),
        (Some("reproduce"), []) => reproduce::reproduce(),
        (Some("bench"), arguments) => bench::bench(arguments),
        (Some("cluster"), arguments) => cluster::cluster(arguments),
        (Some("dashboard"), []) => dashboard::write(),
        (Some("types"), []) => types::write(),
        (Some("types"), [check]) if check == "--check" => types::check(),
        (None | Some("help" | "--help" | "-h"), _) => {
            eprint!("{USAGE}");
            Ok(())
        }
        (Some(task), rest) => bail!("unknown task `{task} {}`\n\n{USAGE}", rest.join(" ")),
    }
}
