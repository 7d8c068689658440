//! Texts that are not a host, and the message of the refusal.

use super::Group;
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
pub(super) const ROWS: &[Group] = &[
    // Empty hosts and empty labels.
    (Refused("it is empty"), &["", "."]),
    (Refused(EMPTY_LABEL), &[
        "..", ".a", "a..b", "relay.example..", "169.254..169.254", "127.0.0.1..",
    ]),
    // Zones and percent escapes: %31 decodes to 1.
    (Refused(PERCENT), &[
        "fe80::1%lo", "::1%1", "[fe80::1%25lo]", "%31%36%39.254.169.254", "169%2e254%2e169%2e254",
        "relay.example%00.example",
    ]),
    // Other parts of a URL, and other settings.
    (Refused(USER), &[
        "user@relay.example", "user:password@relay.example", "relay.example@169.254.169.254",
    ]),
    (Refused(URL), &[
        "http://relay.example", "//relay.example", "relay.example/path", "relay.example\\path",
        "relay.example?query", "relay.example#fragment",
    ]),
    (Refused("a port has its own setting"), &[
        "relay.example:514", "169.254.169.254:80", "[::1]:514",
    ]),
    (Refused(URL), &["169.254.0.0/16"]),
    // Brackets.
    (Refused("the closing `]` is missing"), &["[::1"]),
    (Refused(NOT_IPV6), &["::1]"]),
    (Refused("something follows the `]`"), &["[[::1]]", "[::1]."]),
    (Refused("brackets go around an IPv6 address only"), &[
        "[]", "[127.0.0.1]", "[relay.example]", "[v1.fe80::a]",
    ]),
    // Characters that no host has.
    (Refused(WHITE), &[
        " 127.0.0.1", "127.0.0.1 x", "127.0.0.1\n", "relay\texample", "relay\u{a0}example",
        "relay\u{3000}example",
    ]),
    (Refused(CONTROL), &["relay\0.example", "relay\u{7f}.example"]),
    (Refused(CHARACTERS), &["a,b", "*.example", "$(id)", "169.254.169.254;", "+1", "1.+2"]),
    // Characters that some resolvers normalize to an address or a name.
    (Refused(DIGITS), &[
        "\u{ff11}\u{ff16}\u{ff19}.254.169.254", // full-width
        "\u{2460}\u{2465}\u{2468}.254.169.254", // circled
        "\u{661}\u{666}\u{669}.254.169.254", // Arabic
        "\u{1d7cf}.1", // mathematical
        "\u{b9}.1", // superscript
    ]),
    (Refused(FULL_STOPS), &[
        "169\u{3002}254\u{3002}169\u{3002}254", // ideographic
        "169\u{ff0e}254\u{ff0e}169\u{ff0e}254", // full-width
        "169\u{ff61}254\u{ff61}169\u{ff61}254", // half-width
    ]),
    (Refused(ASCII), &[
        "169.254.169.2\u{ad}54", // soft hyphen
        "169.254.169.2\u{200b}54", // zero-width space
        "\u{feff}127.0.0.1", // byte-order mark
        "127.0.0.1\u{202e}", // right-to-left override
        "0\u{ff58}7f.1", // full-width x
        "\u{ff4d}etadata", // full-width m
        "\u{212a}ube.example", // the Kelvin sign, which lower-cases to k
    ]),
    (Refused("xn--"), &[
        "b\u{fc}cher.example", // an honest international name
    ]),
    // Resolvers disagree: an address, another address, a name or an error.
    (Refused(NOT_IPV4), &[
        "256.1.1.1", "1.2.3.256", "1.2.65536", "1.16777216", "4294967296", "99999999999999999999",
        "0x1ffffffff",
        "7147006462", // 169.254.169.254 and 2³²
        "1.2.3.4.5", "0.0.0.0.169.254.169.254", "08", "09.1.1.1", "1.2.3.08", "0x", "1.0x",
        "0x.1.1.1", "0x0x1.1", "relay.1", "relay.0x7f",
    ]),
    // Not valid IPv6.
    (Refused(NOT_IPV6), &[
        ":", ":::", "::1.", "1::2::3", "12345::1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "::ffff:169.254.169.256", "::ffff:169.254.43518", "::ffff:0251.0376.0251.0376",
        "::ffff:0xa9fea9fe",
    ]),
];
