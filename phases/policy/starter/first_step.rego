# A service of the tier "critical" shows a new version to few users first. A first launch has no version before it
# that could serve the others: it goes to everybody at once.
package launch.starter.first_step

default first_step_percent := 10

first_step_percent := data.settings.first_step_percent

critical if {
	input.tier == "critical"
	not input.first
}

deny contains message if {
	critical
	some phase in input.phases
	phase.kind == "traffic"
	count(phase.steps) > 0
	weight := phase.steps[0].weight
	weight > first_step_percent
	message := sprintf("phase %s begins with %v %% of the users; the tier critical allows %v %% at first", [phase.id, weight, first_step_percent])
}

deny contains message if {
	critical
	some phase in input.phases
	phase.kind == "traffic"
	count(phase.steps) == 0
	message := sprintf("phase %s moves all users at once; the tier critical allows %v %% at first: give it steps", [phase.id, first_step_percent])
}
