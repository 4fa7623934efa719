// Package roles makes PostgreSQL roles and memberships, as a Terraform provider that the Pulumi bridge serves.
package roles

import (
	"context"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/validation"
)

// Title names this provider in its errors, its schema and its --version.
const Title = "pgstrata's closed-network stand-in for the postgresql plugin 3.18.1"

// Provider returns the provider; nothing is connected before the first resource needs the server.
func Provider() *schema.Provider {
	return &schema.Provider{
		Schema: map[string]*schema.Schema{
			"scheme":            {Type: schema.TypeString, Optional: true, Default: "postgres"},
			"host":              {Type: schema.TypeString, Optional: true, DefaultFunc: schema.EnvDefaultFunc("PGHOST", nil)},
			"port":              {Type: schema.TypeInt, Optional: true, DefaultFunc: schema.EnvDefaultFunc("PGPORT", 5432)},
			"database":          {Type: schema.TypeString, Optional: true, DefaultFunc: schema.EnvDefaultFunc("PGDATABASE", "postgres")},
			"username":          {Type: schema.TypeString, Optional: true, DefaultFunc: schema.EnvDefaultFunc("PGUSER", "postgres")},
			"password":          {Type: schema.TypeString, Optional: true, Sensitive: true, DefaultFunc: schema.EnvDefaultFunc("PGPASSWORD", nil)},
			"database_username": {Type: schema.TypeString, Optional: true},
			"superuser":         {Type: schema.TypeBool, Optional: true, DefaultFunc: schema.EnvDefaultFunc("PGSUPERUSER", true)},
			"sslmode":           {Type: schema.TypeString, Optional: true, DefaultFunc: schema.EnvDefaultFunc("PGSSLMODE", nil)},
			"ssl_mode":          {Type: schema.TypeString, Optional: true, Deprecated: "Use sslmode"},
			"sslrootcert":       {Type: schema.TypeString, Optional: true},
			"clientcert": {Type: schema.TypeList, Optional: true, MaxItems: 1, Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"cert":      {Type: schema.TypeString, Required: true},
				"key":       {Type: schema.TypeString, Required: true},
				"sslinline": {Type: schema.TypeBool, Optional: true},
			}}},
			"connect_timeout": {
				Type: schema.TypeInt, Optional: true, DefaultFunc: schema.EnvDefaultFunc("PGCONNECT_TIMEOUT", 180),
				ValidateFunc: validation.IntAtLeast(-1),
			},
			"max_connections":  {Type: schema.TypeInt, Optional: true, Default: 20, ValidateFunc: validation.IntAtLeast(-1)},
			"expected_version": {Type: schema.TypeString, Optional: true, Default: "9.0.0"},

			"aws_rds_iam_auth":                    {Type: schema.TypeBool, Optional: true},
			"aws_rds_iam_profile":                 {Type: schema.TypeString, Optional: true},
			"aws_rds_iam_region":                  {Type: schema.TypeString, Optional: true},
			"aws_rds_iam_provider_role_arn":       {Type: schema.TypeString, Optional: true},
			"azure_identity_auth":                 {Type: schema.TypeBool, Optional: true},
			"azure_tenant_id":                     {Type: schema.TypeString, Optional: true},
			"gcp_iam_impersonate_service_account": {Type: schema.TypeString, Optional: true},
		},
		ResourcesMap: map[string]*schema.Resource{
			"postgresql_role":       roleResource(),
			"postgresql_grant_role": grantRoleResource(),
		},
		ConfigureContextFunc: configure,
	}
}

func configure(_ context.Context, data *schema.ResourceData) (any, diag.Diagnostics) {
	if scheme := data.Get("scheme").(string); scheme != "postgres" {
		return nil, diag.Errorf("%s: found scheme %q, expected \"postgres\": the cloud schemes need the official plugin", Title, scheme)
	}
	for attribute, property := range map[string]string{
		"aws_rds_iam_auth":                    "awsRdsIamAuth",
		"azure_identity_auth":                 "azureIdentityAuth",
		"gcp_iam_impersonate_service_account": "gcpIamImpersonateServiceAccount",
		"clientcert":                          "clientcert",
	} {
		if _, isSet := data.GetOk(attribute); isSet {
			return nil, diag.Errorf("%s: found the provider option %s, which needs the official plugin; "+
				"expected username and password", Title, property)
		}
	}
	sslmode := data.Get("sslmode").(string)
	if sslmode == "" {
		sslmode = data.Get("ssl_mode").(string)
	}
	if sslmode == "" {
		sslmode = "require"
	}
	return &server{
		host:              data.Get("host").(string),
		port:              data.Get("port").(int),
		database:          data.Get("database").(string),
		username:          data.Get("username").(string),
		password:          data.Get("password").(string),
		databaseUsername:  data.Get("database_username").(string),
		superuser:         data.Get("superuser").(bool),
		sslmode:           sslmode,
		sslrootcert:       data.Get("sslrootcert").(string),
		connectTimeoutSec: data.Get("connect_timeout").(int),
	}, nil
}
