// Package v3 has the types of requests, with the parts that the CLI names.
package v3

import (
	"github.com/pb33f/libopenapi/datamodel/high/base"
	"github.com/pb33f/libopenapi/orderedmap"
	"go.yaml.in/yaml/v4"
)

// Document describes a service.
type Document struct {
	Info       *base.Info
	Paths      *Paths
	Components *Components
}

// Components are what a document names.
type Components struct {
	Schemas *orderedmap.Map[string, *base.SchemaProxy]
}

// Paths are a service's addresses.
type Paths struct {
	PathItems *orderedmap.Map[string, *PathItem]
}

// PathItem has the requests to an address.
type PathItem struct {
	Get, Post, Put, Delete, Patch, Head *Operation
}

// Operation is a request.
type Operation struct {
	OperationId string
	Summary     string
	Description string
	Tags        []string
	Deprecated  *bool
	Parameters  []*Parameter
	RequestBody *RequestBody
	Responses   *Responses
	Extensions  *orderedmap.Map[string, *yaml.Node]
}

// Parameter is a part of an address.
type Parameter struct {
	Name        string
	In          string
	Description string
	Required    *bool
	Schema      *base.SchemaProxy
}

// RequestBody is what is sent.
type RequestBody struct {
	Content *orderedmap.Map[string, *MediaType]
}

// Responses are what may come back.
type Responses struct {
	Codes   *orderedmap.Map[string, *Response]
	Default *Response
}

// Response is what comes back.
type Response struct {
	Description string
	Content     *orderedmap.Map[string, *MediaType]
}

// MediaType is a form of a body.
type MediaType struct {
	Schema *base.SchemaProxy
}
