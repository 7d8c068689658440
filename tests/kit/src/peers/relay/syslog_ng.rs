//! syslog-ng's configuration and command line.

use super::{RECORDS, Settings};

/// Key of the output and macro.
const MACROS: [(&str, &str); 11] = [
    ("pri", "$PRI"),
    ("fac", "$FACILITY"),
    ("sev", "$LEVEL"),
    ("ts", "$S_ISODATE"),
    ("host", "$HOST"),
    ("app", "$PROGRAM"),
    ("procid", "$PID"),
    ("msgid", "$MSGID"),
    ("sd", r#"\"$SDATA\""#),
    ("msg", r#"\"$MSG\""#),
    ("raw", r#"\"$RAWMSG\""#),
];

pub(super) fn command(settings: &Settings<'_>) -> (String, Vec<String>) {
    let Settings {
        folder,
        udp,
        octets,
        newline,
        tls,
        mutual,
    } = settings;
    let folder = folder.display();
    let macros: String = MACROS
        .map(|(key, value)| format!(" {key}={value}"))
        .concat();
    let input = |driver: &str, transport: &str, port: &u16, more: &str| {
        format!(
            "  {driver}(ip(\"127.0.0.1\") port({port}) transport(\"{transport}\") flags(store-raw-message{}){more});\n",
            // network() would read BSD syslog without it, which syslog() does not know.
            if driver == "network" {
                ", syslog-protocol"
            } else {
                ""
            },
        )
    };
    // More than a test opens; each gets its share of the window.
    let many = " max-connections(100) log-iw-size(10000)";
    let secured = |verify: &str| {
        format!(
            "{many} tls(key-file(\"{folder}/server.key\") cert-file(\"{folder}/server.pem\") ca-file(\"{folder}/ca.pem\") peer-verify({verify}))"
        )
    };
    let inputs = [
        input("syslog", "udp", udp, ""),
        input("syslog", "tcp", octets, many),
        input("network", "tcp", newline, many),
        input("syslog", "tls", tls, &secured("optional-untrusted")),
        input("syslog", "tls", mutual, &secured("required-trusted")),
    ]
    .concat();
    let config = format!(
        r#"@version: 3.38
options {{ keep-hostname(yes); use-dns(no); dns-cache(no); log-msg-size(65536); flush-lines(1); stats-freq(0); ts-format(iso); frac-digits(3); }};
source s {{
{inputs}}};
destination d {{ file("{folder}/{RECORDS}" template("$(format-json{macros})\n")); }};
log {{ source(s); destination(d); flags(flow-control); }};
"#
    );
    let file = |name| format!("{folder}/{name}");
    let args = vec![
        "-F".to_owned(),
        "--no-caps".to_owned(),
        "-f".to_owned(),
        file("relay.conf"),
        "-R".to_owned(),
        file("persist"),
        "-c".to_owned(),
        file("control"),
        "-p".to_owned(),
        file("pid"),
    ];
    (config, args)
}
