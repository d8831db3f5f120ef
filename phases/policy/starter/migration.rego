# The version before goes on running beside a migration, and must be able to.
package launch.starter.migration

deny contains message if {
	some statement in input.migration.statements
	statement.class == "breaking"
	message := sprintf("revision %s breaks the version that is running: %s (%s)", [statement.revision, statement.reason, statement.sql])
}

warn contains message if {
	some statement in input.migration.statements
	statement.class == "unknown"
	message := sprintf("revision %s: nobody can tell what this does to the version that is running: %s", [statement.revision, statement.sql])
}
