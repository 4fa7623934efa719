// Package bridged describes the Pulumi package "random" over its Terraform provider.
package bridged

import (
	"context"
	_ "embed"
	"errors"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-random/shim"
)

// Version is the version of the official plugin that this build stands in for.
const Version = "4.21.2"

//go:embed schema.json
var schema []byte

//go:embed bridge-metadata.json
var metadata []byte

// Metadata is what the gen command wrote: the package schema and the bridge's own notes.
func Metadata() tfbridge.ProviderMetadata {
	return tfbridge.ProviderMetadata{PackageSchema: schema}
}

// Provider maps each resource of the Terraform provider to the token that @pulumi/random uses.
func Provider() bridge.ProviderInfo {
	return bridge.ProviderInfo{
		Name:         "random",
		Version:      Version,
		Description:  "Random values as resources. Built from the Go module proxy for networks without the official download.",
		License:      "Apache-2.0",
		P:            tfbridge.ShimProvider(shim.NewProvider()),
		MetadataInfo: bridge.NewProviderMetadata(metadata),
		Resources: map[string]*bridge.ResourceInfo{
			"random_bytes":    {Tok: token("RandomBytes"), ComputeID: idFromBase64},
			"random_id":       {Tok: token("RandomId")},
			"random_integer":  {Tok: token("RandomInteger")},
			"random_password": {Tok: token("RandomPassword")},
			"random_pet":      {Tok: token("RandomPet")},
			"random_shuffle":  {Tok: token("RandomShuffle")},
			"random_string":   {Tok: token("RandomString")},
			"random_uuid":     {Tok: token("RandomUuid")},
		},
	}
}

// token gives "random:index/randomPassword:RandomPassword" for "RandomPassword".
func token(name string) tokens.Type {
	file := strings.ToLower(name[:1]) + name[1:]
	return tokens.Type("random:index/" + file + ":" + name)
}

// idFromBase64 identifies RandomBytes, whose Terraform resource has no id attribute.
func idFromBase64(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
	value := state["base64"]
	if value.IsSecret() {
		value = value.SecretValue().Element
	}
	if !value.IsString() {
		return "", errors.New("RandomBytes: found no base64 output, expected a string")
	}
	return resource.ID(value.StringValue()), nil
}
