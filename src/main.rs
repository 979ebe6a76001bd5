//! The program `sealer`: everything is in the library.

fn main() -> std::process::ExitCode {
    sealer::main()
}
