# Every phase rolls back by itself.
package launch.starter.rollback

deny contains message if {
	some phase in input.phases
	not phase.rollback_on_failure
	message := sprintf("phase %s does not roll back on failure (rollback_on_failure is false)", [phase.id])
}
