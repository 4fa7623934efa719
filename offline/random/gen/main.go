// Command gen writes bridged/schema.json and bridged/bridge-metadata.json. Run it in offline/random
// (`go run ./gen`) after a change of a pinned version; the set-up itself only builds what is committed.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"pgstrata.invalid/offline/random/bridged"
)

func main() {
	info := bridged.Provider()
	generated, err := tfgen.GenerateSchema(context.Background(), tfgen.GenerateSchemaOptions{
		ProviderInfo:  info,
		XInMemoryDocs: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(generated.ProviderMetadata.PackageSchema, &spec); err != nil {
		log.Fatal(err)
	}
	write("bridged/schema.json", spec)
	write("bridged/bridge-metadata.json", json.RawMessage(info.MetadataInfo.Data.Marshal()))
}

func write(path string, value any) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}
