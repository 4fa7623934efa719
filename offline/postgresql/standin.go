package main

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"pgstrata.invalid/offline/postgresql/bridged"
)

// standIn answers for what the official plugin has and this one has not; all else goes to the bridge.
type standIn struct {
	pulumirpc.ResourceProviderServer
	info tfbridge.ProviderInfo
}

// Check is the first call that any resource gets, in a preview too.
func (s *standIn) Check(ctx context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	if err := s.supported(request.GetUrn()); err != nil {
		return nil, err
	}
	return s.ResourceProviderServer.Check(ctx, request)
}

// Read comes without a Check for a resource that the program only gets, or that is refreshed or imported.
func (s *standIn) Read(ctx context.Context, request *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	if err := s.supported(request.GetUrn()); err != nil {
		return nil, err
	}
	return s.ResourceProviderServer.Read(ctx, request)
}

// Invoke: the stand-in has no functions.
func (s *standIn) Invoke(_ context.Context, request *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, unsupported("function " + request.GetTok())
}

// Delete comes without a Check for a resource that the program no longer has.
func (s *standIn) Delete(ctx context.Context, request *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	if err := s.supported(request.GetUrn()); err != nil {
		return nil, err
	}
	return s.ResourceProviderServer.Delete(ctx, request)
}

func (s *standIn) supported(urn string) error {
	token := resource.URN(urn).Type()
	for _, known := range s.info.Resources {
		if known.Tok == token {
			return nil
		}
	}
	return unsupported("resource type " + string(token))
}

func unsupported(what string) error {
	return fmt.Errorf("%s: %s is not part of it; it has postgresql:index/role:Role and "+
		"postgresql:index/grantRole:GrantRole. Install the official plugin where its download can be reached "+
		"(pulumi plugin install resource postgresql %s), or leave this out of the program",
		bridged.Description, what, bridged.Version)
}
