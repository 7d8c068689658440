//! Usage texts, and the check of arguments against them. An option exists because the text lists
//! it.

use std::ffi::OsStr;

use lexopt::Arg;

/// A command's usage text.
///
/// The `Usage:` line lists the positional arguments, optional ones in brackets. Each option has a
/// line that begins with `--name`, followed by its value if it takes one. A value is a placeholder
/// in capitals, of which `N` is a whole number of at least 1, or the words that are allowed, as in
/// `a|b`. With `[CARGO ARGUMENTS]` on the usage line all arguments pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage(pub(crate) &'static str);

/// What a checked command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Run,
    Help,
}

impl Usage {
    /// The first line, which says what the command does.
    pub(crate) fn summary(self) -> &'static str {
        self.0.lines().next().unwrap_or_default()
    }

    /// # Errors
    /// An option is not in the text, a value is missing or wrong, or a positional argument is
    /// missing or has no place.
    pub(crate) fn check(self, arguments: &[String]) -> Result<Request, String> {
        let is_help = |argument: &&str| matches!(*argument, "--help" | "-h");
        if self.line().contains("[CARGO ARGUMENTS]") {
            let first = arguments.first().map(String::as_str);
            return Ok(if first.as_ref().is_some_and(is_help) {
                Request::Help
            } else {
                Request::Run
            });
        }
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut places = self.places();
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help),
                Arg::Long(name) => {
                    let name = name.to_owned();
                    if let Some(value) = self.value_of(&name)? {
                        let given = parser.value().map_err(|error| format!("--{name}: {error}"))?;
                        accept(value, &given).map_err(|error| format!("--{name}: {error}"))?;
                    }
                }
                Arg::Short(name) => return Err(format!("unknown option -{name}")),
                Arg::Value(given) => {
                    let place = places.next();
                    let place = place.ok_or_else(|| {
                        format!("unexpected argument {}", given.to_string_lossy())
                    })?;
                    accept(place.trim_matches(['[', ']', '…']), &given)?;
                    if place.contains('…') {
                        return Ok(Request::Run);
                    }
                }
            }
        }
        match places.find(|place| !place.starts_with('[')) {
            Some(missing) => Err(format!("name {}", missing.trim_end_matches('…'))),
            None => Ok(Request::Run),
        }
    }

    fn line(self) -> &'static str {
        let mut lines = self.0.lines();
        lines.find(|line| line.starts_with("Usage:")).unwrap_or_default()
    }

    /// The positional arguments, as the usage line has them.
    fn places(self) -> impl Iterator<Item = &'static str> {
        self.line().split_whitespace().skip(4).filter(|word| *word != "[OPTIONS]")
    }

    fn options(self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        self.0.lines().filter_map(|line| {
            let mut words = line.trim_start().strip_prefix("--")?.split_whitespace();
            let name = words.next()?;
            Some((name, words.next().filter(|word| is_value(word))))
        })
    }

    /// The value that an option takes, as the text has it.
    fn value_of(self, name: &str) -> Result<Option<&'static str>, String> {
        if let Some((_, value)) = self.options().find(|(option, _)| *option == name) {
            return Ok(value);
        }
        let names = self.options().map(|(option, _)| option);
        Err(match cap_telemetry::names::nearest(name, names) {
            Some(near) => format!("unknown option --{name}: did you mean --{near}?"),
            None => format!("unknown option --{name}"),
        })
    }
}

fn is_value(word: &str) -> bool {
    let is_placeholder = word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| !c.is_lowercase());
    is_placeholder || word.contains('|')
}

fn accept(value: &str, given: &OsStr) -> Result<(), String> {
    let given = given.to_string_lossy();
    if value.contains('|') && !value.split('|').any(|word| word == given) {
        let words = value.replace('|', ", ");
        return Err(match cap_telemetry::names::nearest(&given, value.split('|')) {
            Some(near) => format!("unknown {given}: did you mean {near}?"),
            None => format!("unknown {given}: use one of {words}"),
        });
    }
    if value == "N" && !given.parse::<u64>().is_ok_and(|number| number > 0) {
        return Err(format!("{given} is not a whole number of at least 1"));
    }
    if given.starts_with("--") {
        return Err(format!("{given} is an option: a value has to stand before it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: Usage = Usage(
        "Do a thing.\n\nUsage: cargo xtask do [OPTIONS] NAME [FILE]\n\nOptions:\n  --seconds N    for so long\n  --kind a|b|ab  which\n  --check        write nothing\n",
    );

    fn checked(arguments: &str) -> Result<Request, String> {
        let arguments: Vec<_> = arguments.split_whitespace().map(str::to_owned).collect();
        USAGE.check(&arguments)
    }

    #[test]
    fn what_the_text_lists_is_accepted() {
        for arguments in
            ["a", "a b", "--check a", "--seconds 5 a --check", "--seconds=5 a", "--kind ab a"]
        {
            assert_eq!(checked(arguments), Ok(Request::Run), "{arguments}");
        }
    }

    #[test]
    fn help_is_found_at_every_place() {
        for arguments in ["--help", "-h", "a --help", "--seconds 5 -h a"] {
            assert_eq!(checked(arguments), Ok(Request::Help), "{arguments}");
        }
    }

    #[test]
    fn what_the_text_lacks_is_named() {
        for (arguments, said) in [
            ("--secods 5", "unknown option --secods: did you mean --seconds?"),
            ("--verbose", "unknown option --verbose"),
            ("-v", "unknown option -v"),
            ("", "name NAME"),
            ("--check", "name NAME"),
            ("a b c", "unexpected argument c"),
            ("a --seconds", "--seconds: missing argument for option '--seconds'"),
            ("a --seconds five", "--seconds: five is not a whole number of at least 1"),
            ("a --seconds 0", "--seconds: 0 is not a whole number of at least 1"),
            ("a --kind abb", "--kind: unknown abb: did you mean ab?"),
            ("a --kind other", "--kind: unknown other: use one of a, b, ab"),
            ("--check=yes", "unexpected argument for option '--check': \"yes\""),
        ] {
            assert_eq!(checked(arguments), Err(said.to_owned()), "{arguments}");
        }
    }

    #[test]
    fn an_option_is_no_value_of_another() {
        let usage = Usage("Do.\n\nUsage: cargo xtask do\n\n  --json FILE\n  --peers\n");
        let arguments = ["--json", "--peers"].map(str::to_owned);
        let error = usage.check(&arguments).expect_err("FILE is missing");
        assert!(error.starts_with("--json: --peers is an option"), "{error}");
    }

    #[test]
    fn a_list_takes_many() {
        let usage = Usage("Do.\n\nUsage: cargo xtask do FILE…\n");
        let arguments = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(usage.check(&arguments), Ok(Request::Run));
        assert_eq!(usage.check(&[]), Err("name FILE".to_owned()));
    }

    #[test]
    fn the_first_line_is_the_summary() {
        assert_eq!(USAGE.summary(), "Do a thing.");
    }
}
