// Command pulumi-resource-random is the Pulumi plugin "random" for closed networks.
package main

import (
	"context"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"pgstrata.invalid/offline/random/bridged"
)

func main() {
	tfbridge.Main(context.Background(), "random", bridged.Provider(), bridged.Metadata())
}
