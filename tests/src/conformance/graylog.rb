# What Graylog's syslog inputs do with each line of standard input: the same class of the same library, asked for the same parts.
require "json"
require "java"

Reading = Java::OrgGraylog2Syslog4jServerImplEventStructured::StructuredSyslogServerEvent
from = java.net.InetAddress.getLoopbackAddress
$stdin.set_encoding("UTF-8")
$stdin.each_line("\n", chomp: true) do |line|
  read = Reading.new(line, from, nil)
  message = read.getStructuredMessage
  sd = message.getStructuredData
  puts JSON.generate(
    facility: read.getFacility,
    severity: read.getLevel,
    timestamp: read.getDateTime.withZone(org.joda.time.DateTimeZone::UTC).toString,
    hostname: read.getHost,
    app_name: read.getApplicationName,
    procid: read.getProcessId,
    sd: sd && sd.each_with_object({}) { |(id, params), all| all[id] = params.to_a.to_h },
    msg: message.getMessage,
  )
end
