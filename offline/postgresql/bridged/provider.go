// Package bridged describes the Pulumi package "postgresql" over the roles provider. The bridge is the one
// that the official plugin is built on, so inputs, outputs, ids and state have the same shape.
package bridged

import (
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"

	"pgstrata.invalid/offline/postgresql/roles"
)

// Version is the version of the official plugin that this one stands in for.
const Version = "3.18.1"

// Description is what the plugin says of itself.
const Description = roles.Title

//go:embed schema.json
var schema []byte

//go:embed bridge-metadata.json
var metadata []byte

// Schema is the package schema that the gen command wrote.
func Schema() []byte {
	return schema
}

// Provider maps the two resources to the tokens that @pulumi/postgresql uses.
func Provider() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		Name:         "postgresql",
		Version:      Version,
		Description:  Description,
		License:      "MIT",
		P:            sdkv2.NewProvider(roles.Provider()),
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
		Config: map[string]*tfbridge.SchemaInfo{
			"sslmode":         {Default: &tfbridge.DefaultInfo{EnvVars: []string{"PGSSLMODE"}}},
			"connect_timeout": {Default: &tfbridge.DefaultInfo{EnvVars: []string{"PGCONNECT_TIMEOUT"}, Value: 180}},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"postgresql_role":       {Tok: "postgresql:index/role:Role"},
			"postgresql_grant_role": {Tok: "postgresql:index/grantRole:GrantRole"},
		},
	}
	info.SetAutonaming(255, "-")
	return info
}
