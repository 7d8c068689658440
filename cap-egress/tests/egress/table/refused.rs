//! Texts that are not a host, and the message of the refusal.

use super::Row;
use super::Verdict::Refused;

const EMPTY_LABEL: &str = "a label between two dots is empty";
const NOT_IPV4: &str = "it ends in a number but is not an IPv4 address";
const NOT_IPV6: &str = "`:` belongs only in an IPv6 address";
const PERCENT: &str = "zone identifiers and percent escapes";
const USER: &str = "user names and passwords";
const CHARACTERS: &str = "a name has only letters, digits";
const URL: &str = "without a scheme or a path";
const WHITE: &str = "white space";
const CONTROL: &str = "control characters";
const DIGITS: &str = "digits are written in ASCII";
const FULL_STOPS: &str = "full stops are written in ASCII";
const ASCII: &str = "only ASCII is accepted";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Empty hosts and empty labels.
    ("", Refused("it is empty")),
    (".", Refused("it is empty")),
    ("..", Refused(EMPTY_LABEL)),
    (".a", Refused(EMPTY_LABEL)),
    ("a..b", Refused(EMPTY_LABEL)),
    ("relay.example..", Refused(EMPTY_LABEL)),
    ("169.254..169.254", Refused(EMPTY_LABEL)),
    ("127.0.0.1..", Refused(EMPTY_LABEL)),

    // Zones and percent escapes: %31 decodes to 1.
    ("fe80::1%lo", Refused(PERCENT)),
    ("::1%1", Refused(PERCENT)),
    ("[fe80::1%25lo]", Refused(PERCENT)),
    ("%31%36%39.254.169.254", Refused(PERCENT)),
    ("169%2e254%2e169%2e254", Refused(PERCENT)),
    ("relay.example%00.example", Refused(PERCENT)),

    // Other parts of a URL, and other settings.
    ("user@relay.example", Refused(USER)),
    ("user:password@relay.example", Refused(USER)),
    ("relay.example@169.254.169.254", Refused(USER)),
    ("http://relay.example", Refused(URL)),
    ("//relay.example", Refused(URL)),
    ("relay.example/path", Refused(URL)),
    ("relay.example\\path", Refused(URL)),
    ("relay.example?query", Refused(URL)),
    ("relay.example#fragment", Refused(URL)),
    ("relay.example:514", Refused("a port has its own setting")),
    ("169.254.169.254:80", Refused("a port has its own setting")),
    ("[::1]:514", Refused("a port has its own setting")),
    ("169.254.0.0/16", Refused(URL)),

    // Brackets.
    ("[::1", Refused("the closing `]` is missing")),
    ("::1]", Refused(NOT_IPV6)),
    ("[[::1]]", Refused("something follows the `]`")),
    ("[::1].", Refused("something follows the `]`")),
    ("[]", Refused("brackets go around an IPv6 address only")),
    ("[127.0.0.1]", Refused("brackets go around an IPv6 address only")),
    ("[relay.example]", Refused("brackets go around an IPv6 address only")),
    ("[v1.fe80::a]", Refused("brackets go around an IPv6 address only")),

    // Characters that no host has.
    (" 127.0.0.1", Refused(WHITE)),
    ("127.0.0.1 x", Refused(WHITE)),
    ("127.0.0.1\n", Refused(WHITE)),
    ("relay\texample", Refused(WHITE)),
    ("relay\u{a0}example", Refused(WHITE)),
    ("relay\u{3000}example", Refused(WHITE)),
    ("relay\0.example", Refused(CONTROL)),
    ("relay\u{7f}.example", Refused(CONTROL)),
    ("a,b", Refused(CHARACTERS)),
    ("*.example", Refused(CHARACTERS)),
    ("$(id)", Refused(CHARACTERS)),
    ("169.254.169.254;", Refused(CHARACTERS)),
    ("+1", Refused(CHARACTERS)),
    ("1.+2", Refused(CHARACTERS)),

    // Characters that some resolvers normalize to an address or a name.
    ("\u{ff11}\u{ff16}\u{ff19}.254.169.254", Refused(DIGITS)), // full-width
    ("\u{2460}\u{2465}\u{2468}.254.169.254", Refused(DIGITS)), // circled
    ("\u{661}\u{666}\u{669}.254.169.254", Refused(DIGITS)), // Arabic
    ("\u{1d7cf}.1", Refused(DIGITS)), // mathematical
    ("\u{b9}.1", Refused(DIGITS)), // superscript
    ("169\u{3002}254\u{3002}169\u{3002}254", Refused(FULL_STOPS)), // ideographic
    ("169\u{ff0e}254\u{ff0e}169\u{ff0e}254", Refused(FULL_STOPS)), // full-width
    ("169\u{ff61}254\u{ff61}169\u{ff61}254", Refused(FULL_STOPS)), // half-width
    ("169.254.169.2\u{ad}54", Refused(ASCII)), // soft hyphen
    ("169.254.169.2\u{200b}54", Refused(ASCII)), // zero-width space
    ("\u{feff}127.0.0.1", Refused(ASCII)), // byte-order mark
    ("127.0.0.1\u{202e}", Refused(ASCII)), // right-to-left override
    ("0\u{ff58}7f.1", Refused(ASCII)), // full-width x
    ("\u{ff4d}etadata", Refused(ASCII)), // full-width m
    ("\u{212a}ube.example", Refused(ASCII)), // the Kelvin sign, which lower-cases to k
    ("b\u{fc}cher.example", Refused("xn--")), // an honest international name

    // Resolvers disagree: an address, another address, a name or an error.
    ("256.1.1.1", Refused(NOT_IPV4)),
    ("1.2.3.256", Refused(NOT_IPV4)),
    ("1.2.65536", Refused(NOT_IPV4)),
    ("1.16777216", Refused(NOT_IPV4)),
    ("4294967296", Refused(NOT_IPV4)),
    ("99999999999999999999", Refused(NOT_IPV4)),
    ("0x1ffffffff", Refused(NOT_IPV4)),
    ("7147006462", Refused(NOT_IPV4)), // 169.254.169.254 and 2³²
    ("1.2.3.4.5", Refused(NOT_IPV4)),
    ("0.0.0.0.169.254.169.254", Refused(NOT_IPV4)),
    ("08", Refused(NOT_IPV4)),
    ("09.1.1.1", Refused(NOT_IPV4)),
    ("1.2.3.08", Refused(NOT_IPV4)),
    ("0x", Refused(NOT_IPV4)),
    ("1.0x", Refused(NOT_IPV4)),
    ("0x.1.1.1", Refused(NOT_IPV4)),
    ("0x0x1.1", Refused(NOT_IPV4)),
    ("relay.1", Refused(NOT_IPV4)),
    ("relay.0x7f", Refused(NOT_IPV4)),

    // Not valid IPv6.
    (":", Refused(NOT_IPV6)),
    (":::", Refused(NOT_IPV6)),
    ("::1.", Refused(NOT_IPV6)),
    ("1::2::3", Refused(NOT_IPV6)),
    ("12345::1", Refused(NOT_IPV6)),
    ("1:2:3:4:5:6:7", Refused(NOT_IPV6)),
    ("1:2:3:4:5:6:7:8:9", Refused(NOT_IPV6)),
    ("::ffff:169.254.169.256", Refused(NOT_IPV6)),
    ("::ffff:169.254.43518", Refused(NOT_IPV6)),
    ("::ffff:0251.0376.0251.0376", Refused(NOT_IPV6)),
    ("::ffff:0xa9fea9fe", Refused(NOT_IPV6)),
];
