# Nobody should have to repair a launch on a Friday evening or at the weekend.
package launch.starter.calendar

default friday_from_hour := 15

friday_from_hour := data.settings.friday_from_hour

cared_for if startswith(input.environment, "prod")

cared_for if input.tier == "critical"

warn contains message if {
	cared_for
	input.clock.weekday == "Friday"
	input.clock.hour >= friday_from_hour
	message := sprintf("it is Friday, %d:%02d (%s): whoever repairs this launch does it at the weekend", [input.clock.hour, input.clock.minute, input.clock.timezone])
}

warn contains message if {
	cared_for
	input.clock.weekday in {"Saturday", "Sunday"}
	message := sprintf("it is %s (%s)", [input.clock.weekday, input.clock.timezone])
}
