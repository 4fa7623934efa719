// Package shim hands out the random provider, whose own package is internal.
// This module's path lies below the provider's path, so that Go allows the import.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	random "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// NewProvider returns a new instance of the provider, not yet configured.
func NewProvider() provider.Provider {
	return random.New()
}
