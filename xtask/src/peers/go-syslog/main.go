// Command go-syslog reads a stream of RFC 5424 records, framed by octet counting or by newlines as its one argument says, with
// the strict parser of github.com/leodido/go-syslog, and prints each as a line of JSON. The first record that it refuses is
// the last line, and has an error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	syslog "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/octetcounting"
	"github.com/leodido/go-syslog/v4/rfc5424"
)

const longest = 1 << 20

type record struct {
	Error     string                       `json:"error,omitempty"`
	Facility  *uint8                       `json:"facility"`
	Severity  *uint8                       `json:"severity"`
	Timestamp string                       `json:"timestamp"`
	Hostname  *string                      `json:"hostname"`
	AppName   *string                      `json:"app_name"`
	ProcID    *string                      `json:"procid"`
	MsgID     *string                      `json:"msgid"`
	SD        map[string]map[string]string `json:"sd"`
	Msg       *string                      `json:"msg"`
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	failed := false
	show := func(result *syslog.Result) {
		failed = failed || result.Error != nil
		if err := encoder.Encode(read(result)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	switch {
	case len(os.Args) == 2 && os.Args[1] == "octet-counting":
		octetcounting.NewParser(
			syslog.WithListener(show),
			syslog.WithMaxMessageLength(longest),
		).Parse(os.Stdin)
	case len(os.Args) == 2 && os.Args[1] == "newline":
		lines := bufio.NewReader(os.Stdin)
		for !failed {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF && len(line) == 0 {
				break
			}
			if err != nil {
				show(&syslog.Result{Error: err})
				break
			}
			message, err := rfc5424.NewMachine().Parse(line[:len(line)-1])
			show(&syslog.Result{Message: message, Error: err})
		}
	case len(os.Args) == 2 && os.Args[1] == "--version":
		build, _ := debug.ReadBuildInfo()
		for _, module := range build.Deps {
			fmt.Println(module.Path, module.Version)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: go-syslog octet-counting|newline|--version")
		os.Exit(2)
	}
	if err := out.Flush(); err != nil || failed {
		os.Exit(1)
	}
}

func read(result *syslog.Result) record {
	if result.Error != nil {
		return record{Error: result.Error.Error()}
	}
	message, ok := result.Message.(*rfc5424.SyslogMessage)
	if !ok {
		return record{Error: "not an RFC 5424 message"}
	}
	read := record{
		Facility: message.Facility,
		Severity: message.Severity,
		Hostname: message.Hostname,
		AppName:  message.Appname,
		ProcID:   message.ProcID,
		MsgID:    message.MsgID,
		Msg:      message.Message,
	}
	if message.Timestamp != nil {
		read.Timestamp = message.Timestamp.Format("2006-01-02T15:04:05.000Z07:00")
	}
	if message.StructuredData != nil {
		read.SD = *message.StructuredData
	}
	return read
}
