// Command pulumi-resource-postgresql is a stand-in for the official Pulumi plugin "postgresql" on
// networks where that cannot be had. It covers roles and memberships only.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"pgstrata.invalid/offline/postgresql/bridged"
)

func main() {
	if len(os.Args) > 1 && (os.Args[1] == "-version" || os.Args[1] == "--version") {
		fmt.Printf("%s (%s)\n", bridged.Version, bridged.Description)
		return
	}
	err := provider.Main("postgresql", func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		info := bridged.Provider()
		inner := tfbridge.NewProvider(context.Background(), host, "postgresql", bridged.Version, info.P, info, bridged.Schema())
		return &standIn{ResourceProviderServer: inner, info: info}, nil
	})
	if err != nil {
		cmdutil.ExitError(err.Error())
	}
}
