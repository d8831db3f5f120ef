# Whoever adds a release flag says who removes it, and when.
package launch.starter.flags

used(flag) if {
	some key in input.release.flags
	key == flag.key
}

deny contains message if {
	some flag in input.flags
	flag.kind == "release"
	used(flag)
	some field in ["owner", "expires"]
	not flag[field]
	message := sprintf("release flag %s has no %s", [flag.key, field])
}

deny contains message if {
	some flag in input.flags
	flag.kind == "release"
	used(flag)
	some field in ["owner", "expires"]
	flag[field] == null
	message := sprintf("release flag %s has no %s", [flag.key, field])
}
