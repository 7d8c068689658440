//! Usage texts, and the check of arguments against them. An option exists because the text lists
//! it.

use lexopt::Arg;

/// A command's usage text.
///
/// The `Usage:` line names the positional arguments in capitals. Each option has a line that begins
/// with `--name`, followed by the value's name in capitals if it takes one. With
/// `[CARGO ARGUMENTS]` on the usage line all arguments pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage(pub(crate) &'static str);

impl Usage {
    /// The first line, which says what the command does.
    pub(crate) fn summary(self) -> &'static str {
        self.0.lines().next().unwrap_or_default()
    }

    /// # Errors
    /// An option is not in the text or lacks its value, or a positional argument has no place.
    pub(crate) fn check(self, arguments: &[String]) -> Result<(), String> {
        if self.line().contains("[CARGO ARGUMENTS]") {
            return Ok(());
        }
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut places = self.places();
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Arg::Long(name) => {
                    let name = name.to_owned();
                    if self.takes_value(&name)? {
                        let value = parser.value();
                        value.map_err(|error| format!("--{name}: {error}"))?;
                    }
                }
                Arg::Short(name) => return Err(format!("unknown option -{name}")),
                Arg::Value(_) if places > 0 => places -= 1,
                Arg::Value(value) => {
                    return Err(format!("unexpected argument {}", value.to_string_lossy()));
                }
            }
        }
        Ok(())
    }

    fn line(self) -> &'static str {
        let mut lines = self.0.lines();
        lines.find(|line| line.starts_with("Usage:")).unwrap_or_default()
    }

    /// How many positional arguments fit.
    fn places(self) -> usize {
        let words = self.line().split_whitespace().skip(4);
        words
            .map(|word| word.trim_matches(['[', ']']))
            .filter(|word| is_placeholder(word) && *word != "OPTIONS")
            .map(|word| if word.ends_with('…') { 1 << 16 } else { 1 })
            .sum()
    }

    fn options(self) -> impl Iterator<Item = (&'static str, bool)> {
        self.0.lines().filter_map(|line| {
            let mut words = line.trim_start().strip_prefix("--")?.split_whitespace();
            let name = words.next()?;
            Some((name, words.next().is_some_and(is_placeholder)))
        })
    }

    fn takes_value(self, name: &str) -> Result<bool, String> {
        if let Some((_, takes_value)) = self.options().find(|(option, _)| *option == name) {
            return Ok(takes_value);
        }
        let names = self.options().map(|(option, _)| option);
        Err(match cap_telemetry::names::nearest(name, names) {
            Some(near) => format!("unknown option --{name}: did you mean --{near}?"),
            None => format!("unknown option --{name}"),
        })
    }
}

fn is_placeholder(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(|c| !c.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: Usage = Usage(
        "Do a thing.\n\nUsage: cargo xtask do [OPTIONS] NAME [FILE]\n\nOptions:\n  --seconds N   for so long\n  --check       write nothing\n",
    );

    fn checked(arguments: &str) -> Result<(), String> {
        let arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
        USAGE.check(&arguments)
    }

    #[test]
    fn what_the_text_lists_is_accepted() {
        for arguments in [
            "a",
            "a b",
            "--check a",
            "--seconds 5 a --check",
            "--seconds=5 a",
            "--seconds --check a",
        ] {
            assert_eq!(checked(arguments), Ok(()), "{arguments}");
        }
    }

    #[test]
    fn what_the_text_lacks_is_named() {
        for (arguments, said) in [
            ("--secods 5", "unknown option --secods: did you mean --seconds?"),
            ("--verbose", "unknown option --verbose"),
            ("-v", "unknown option -v"),
            ("a b c", "unexpected argument c"),
            ("a --seconds", "--seconds: missing argument for option '--seconds'"),
            ("--check=yes", "unexpected argument for option '--check': \"yes\""),
        ] {
            assert_eq!(checked(arguments), Err(said.to_owned()), "{arguments}");
        }
    }

    #[test]
    fn the_first_line_is_the_summary() {
        assert_eq!(USAGE.summary(), "Do a thing.");
    }
}
