module localhost/go-syslog

go 1.25.0

require github.com/leodido/go-syslog/v4 v4.6.0
