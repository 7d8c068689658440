# Logstash's part: evaluates the script of a `ruby` filter, which is the first argument, in an object of its own, and has it filter an event
# for each line of standard input. Fields are set by their references.
require "json"

class Event
  attr_reader :fields, :tags

  def initialize(message)
    @fields = { "message" => message }
    @tags = []
  end

  def get(field)
    @fields[field]
  end

  def set(field, value)
    @fields[field] = value
  end

  def tag(name)
    @tags << name
  end
end

COPIED = {
  "event_id" => "[event][id]",
  "event_type" => "[event][action]",
  "org_id" => "[organization][id]",
}.freeze

context = Object.new
context.instance_eval(ARGV.fetch(0), "certautopilot.rb", 1)
$stdin.set_encoding("UTF-8")
$stdin.each_line("\n", chomp: true) do |line|
  context.filter(Event.new(line)).each do |event|
    syslog = event.get("[log][syslog]") || {}
    params = syslog["structured_data"]&.values&.first || {}
    wrong = COPIED.find { |name, field| event.get(field) != params[name] }
    puts JSON.generate(
      error: event.tags.first || wrong&.last,
      facility: syslog.dig("facility", "code"),
      severity: syslog.dig("severity", "code"),
      timestamp: event.get("[@metadata][time]"),
      hostname: syslog["hostname"],
      app_name: syslog["appname"],
      procid: syslog["procid"],
      sd: syslog["structured_data"],
      msg: event.get("message"),
    )
  end
end
