# For Logstash's `ruby` filter: reads an audit record of CertAutoPilot (RFC 5424) into ECS fields
# and unescapes every value. A message that is no such record stays unchanged and gets the tag
# _certautopilot_parse_failure.

RECORD = /\A<(?<pri>\d{1,3})>1 (?<time>\S+) (?<host>\S+) (?<app>\S+) (?<pid>\S+) -(?: -| \[(?<id>[^\s="\]]+)(?<params>(?: [^\s="\]]+="(?:[^"\\\]]|\\.)*")*)\])(?: (?<text>.*))?\z/m
PARAM = /([^\s="\]]+)="((?:[^"\\\]]|\\.)*)"/m
# Parameters that ECS has a field for.
ECS = {
  "event_id" => "[event][id]",
  "event_type" => "[event][action]",
  "org_id" => "[organization][id]",
  "trace_id" => "[trace][id]",
  "span_id" => "[span][id]",
}.freeze

def filter(event)
  record = RECORD.match(event.get("message").to_s)
  if record.nil?
    event.tag("_certautopilot_parse_failure")
    return [event]
  end
  priority = record[:pri].to_i
  syslog = {
    "priority" => priority,
    "facility" => { "code" => priority / 8 },
    "severity" => { "code" => priority % 8 },
    "version" => "1",
  }
  { "hostname" => :host, "appname" => :app, "procid" => :pid }.each do |field, part|
    syslog[field] = record[part] unless record[part] == "-"
  end
  if record[:id]
    params = record[:params].scan(PARAM).to_h { |name, value| [name, value.gsub(/\\(["\\\]])/, '\1')] }
    syslog["structured_data"] = { record[:id] => params }
    ECS.each { |name, field| event.set(field, params[name]) if params.key?(name) }
  end
  event.set("[log][syslog]", syslog)
  event.set("[@metadata][time]", record[:time]) unless record[:time] == "-"
  event.set("message", record[:text].to_s)
  [event]
end
