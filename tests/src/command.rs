//! One way to read a program's arguments and to say how it ended.

use lexopt::Arg;
use std::io::{self, Write as _};
use std::process::ExitCode;

pub use lexopt::Parser;

/// The options of a program. Its default is a run without arguments.
pub trait Options: Default {
    /// The text for `--help`.
    const USAGE: &str;

    /// Takes one long option, with its value from `parser` if it has one; false for an unknown
    /// option.
    ///
    /// # Errors
    /// When the value is missing or cannot be used. The message says what to write instead.
    fn set(&mut self, name: &str, parser: &mut Parser) -> Result<bool, lexopt::Error>;

    /// Reads arguments; `None` for `--help`.
    ///
    /// # Errors
    /// When the program has no such argument, and those of [`set`](Self::set).
    fn parse(args: impl IntoIterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut parser = Parser::from_args(args);
        while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
            let name = match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Long(name) => name.to_owned(),
                other => return Err(other.unexpected().to_string()),
            };
            match options.set(&name, &mut parser) {
                Ok(true) => {}
                Ok(false) => return Err(format!("unknown option --{name}")),
                Err(error) => return Err(format!("--{name}: {error}")),
            }
        }
        Ok(Some(options))
    }
}

/// A whole number of at least 1.
///
/// # Errors
/// When the value is missing or is no such number.
pub fn count(parser: &mut Parser) -> Result<u64, lexopt::Error> {
    use lexopt::ValueExt as _;
    parser.value()?.parse_with(|value| match value.parse() {
        Ok(0) | Err(_) => Err("write a whole number, at least 1"),
        Ok(count) => Ok(count),
    })
}

/// Runs a program with the arguments of this process. `run` returns what is wrong with the outcome.
///
/// The process ends with 0 when nothing is wrong, with 1 when something is wrong or the run failed,
/// and with 2 for arguments that the program does not have.
pub async fn run<T: Options>(run: impl AsyncFnOnce(T) -> io::Result<Vec<String>>) -> ExitCode {
    let options = match T::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(T::USAGE.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(what) => {
            complain(&format!("{what}\n\n{}", T::USAGE));
            return ExitCode::from(2);
        }
    };
    let faults = match run(options).await {
        Ok(faults) => faults,
        Err(error) => vec![error.to_string()],
    };
    faults.iter().for_each(|fault| complain(fault));
    match faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// A line for the person at the terminal. A reader that closed it ends no run.
pub fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "error: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Seconds(u64);

    impl Options for Seconds {
        const USAGE: &str = "";

        fn set(&mut self, name: &str, parser: &mut Parser) -> Result<bool, lexopt::Error> {
            match name {
                "seconds" => self.0 = count(parser)?,
                _ => return Ok(false),
            }
            Ok(true)
        }
    }

    #[test]
    fn arguments_are_options_help_or_an_error_that_names_them() {
        let said = |what: &str| Err(what.to_owned());
        let wanted = "write a whole number, at least 1";
        for (args, expected) in [
            ("", Ok(Some(Seconds(0)))),
            ("--seconds 5", Ok(Some(Seconds(5)))),
            ("--seconds=7", Ok(Some(Seconds(7)))),
            ("--seconds 5 --help", Ok(None)),
            ("-h", Ok(None)),
            ("--secods 5", said("unknown option --secods")),
            ("five", said("unexpected argument \"five\"")),
        ] {
            let args = args.split_whitespace().map(str::to_owned);
            assert_eq!(Seconds::parse(args), expected);
        }
        for args in ["--seconds=0", "--seconds=many"] {
            let error = Seconds::parse([args.to_owned()]).expect_err("no such number");
            assert!(error.ends_with(wanted), "{error}");
        }
    }
}
