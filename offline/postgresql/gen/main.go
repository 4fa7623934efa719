// Command gen writes the package schema that the plugin embeds. Run it in offline/postgresql
// (`go run ./gen && npx biome format --write bridged`) after a change of a pinned version or of a
// resource; the set-up itself only builds what is committed.
package main

import (
	"pgstrata.invalid/offline/postgresql/bridged"
	"pgstrata.invalid/offline/schemagen"
)

func main() {
	schemagen.Write(bridged.Provider())
}
