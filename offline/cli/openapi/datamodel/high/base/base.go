// Package base has the types of schemas, with the parts that the CLI names.
package base

import (
	"errors"

	"github.com/pb33f/libopenapi/orderedmap"
	"go.yaml.in/yaml/v4"
)

// Info is about a document as a whole.
type Info struct {
	Version string
}

// Schema describes a value.
type Schema struct {
	Type                 []string
	Description          string
	Format               string
	Pattern              string
	Required             []string
	Enum                 []*yaml.Node
	Default              *yaml.Node
	Nullable             *bool
	ReadOnly             *bool
	MultipleOf           *float64
	Minimum              *float64
	Maximum              *float64
	MinLength            *int64
	MaxLength            *int64
	AllOf                []*SchemaProxy
	OneOf                []*SchemaProxy
	AnyOf                []*SchemaProxy
	Discriminator        *Discriminator
	Items                *DynamicValue[*SchemaProxy, bool]
	AdditionalProperties *DynamicValue[*SchemaProxy, bool]
	Properties           *orderedmap.Map[string, *SchemaProxy]
	Extensions           *orderedmap.Map[string, *yaml.Node]
}

// Low would be what a schema was read from.
type Low struct{}

// Hash tells schemas apart.
func (*Low) Hash() uint64 { return 0 }

// GoLow is nil: no schema is read here.
func (*Schema) GoLow() *Low { return nil }

// MarshalJSONInline is never asked.
func (*Schema) MarshalJSONInline() ([]byte, error) {
	return nil, errors.New("not in this build")
}

// SchemaProxy stands for a schema.
type SchemaProxy struct{}

// Schema is nil: no schema is read here.
func (*SchemaProxy) Schema() *Schema { return nil }

// Discriminator tells which schema a value has.
type Discriminator struct {
	PropertyName string
	Mapping      *orderedmap.Map[string, string]
}

// DynamicValue is one of two.
type DynamicValue[A any, B any] struct {
	N int
	A A
	B B
}

// IsA says which of the two it is.
func (d *DynamicValue[A, B]) IsA() bool { return d.N == 0 }

// IsB says which of the two it is.
func (d *DynamicValue[A, B]) IsB() bool { return d.N == 1 }
