// Package schemagen writes the package schema of a bridged provider, for its plugin to embed.
package schemagen

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
)

// Write writes bridged/schema.json and bridged/bridge-metadata.json below the working directory; it ends
// the process on an error.
func Write(info tfbridge.ProviderInfo) {
	generated, err := tfgen.GenerateSchema(context.Background(), tfgen.GenerateSchemaOptions{
		ProviderInfo:  info,
		XInMemoryDocs: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(generated.ProviderMetadata.PackageSchema, &schema); err != nil {
		log.Fatal(err)
	}
	if members, ok := withoutTexts(schema).(map[string]any); ok {
		members["description"] = info.Description
		delete(members, "attribution")
	}
	write("bridged/schema.json", schema)
	write("bridged/bridge-metadata.json", json.RawMessage((*metadata.Data)(info.MetadataInfo.Data).Marshal()))
}

// withoutTexts drops documentation texts: they belong to the official package and nothing here reads them.
func withoutTexts(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			_, isText := member.(string)
			if isText && (key == "description" || key == "deprecationMessage" || key == "readme") {
				delete(value, key)
				continue
			}
			value[key] = withoutTexts(member)
		}
	case []any:
		for index, member := range value {
			value[index] = withoutTexts(member)
		}
	}
	return value
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
