package roles

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/validation"
	"github.com/jackc/pgx/v5"
)

// flag is an attribute that CREATE ROLE and ALTER ROLE take as a word.
type flag struct {
	attribute, on, off string
	byDefault          bool
}

var flags = []flag{
	{"superuser", "SUPERUSER", "NOSUPERUSER", false},
	{"create_database", "CREATEDB", "NOCREATEDB", false},
	{"create_role", "CREATEROLE", "NOCREATEROLE", false},
	{"inherit", "INHERIT", "NOINHERIT", true},
	{"login", "LOGIN", "NOLOGIN", false},
	{"replication", "REPLICATION", "NOREPLICATION", false},
	{"bypass_row_level_security", "BYPASSRLS", "NOBYPASSRLS", false},
}

func roleResource() *schema.Resource {
	attributes := map[string]*schema.Schema{
		"name":                {Type: schema.TypeString, Required: true},
		"password":            {Type: schema.TypeString, Optional: true, Sensitive: true},
		"encrypted":           {Type: schema.TypeString, Optional: true, Deprecated: "Use encryptedPassword"},
		"roles":               {Type: schema.TypeSet, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}, Set: schema.HashString},
		"search_path":         {Type: schema.TypeList, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}},
		"encrypted_password":  {Type: schema.TypeBool, Optional: true, Default: true, ValidateFunc: onlyEncrypted},
		"valid_until":         {Type: schema.TypeString, Optional: true, Default: "infinity"},
		"connection_limit":    {Type: schema.TypeInt, Optional: true, Default: -1, ValidateFunc: validation.IntAtLeast(-1)},
		"skip_drop_role":      {Type: schema.TypeBool, Optional: true, Default: false},
		"skip_reassign_owned": {Type: schema.TypeBool, Optional: true, Default: false},
		"assume_role":         {Type: schema.TypeString, Optional: true},
		"statement_timeout":   {Type: schema.TypeInt, Optional: true, ValidateFunc: validation.IntAtLeast(0)},
		"idle_in_transaction_session_timeout": {
			Type: schema.TypeInt, Optional: true, ValidateFunc: validation.IntAtLeast(0),
		},
		"password_wo":         {Type: schema.TypeString, Optional: true, Sensitive: true, ValidateFunc: notWriteOnly},
		"password_wo_version": {Type: schema.TypeString, Optional: true, ValidateFunc: notWriteOnly},
	}
	for _, flag := range flags {
		attributes[flag.attribute] = &schema.Schema{Type: schema.TypeBool, Optional: true, Default: flag.byDefault}
	}
	return &schema.Resource{
		Schema:        attributes,
		CreateContext: createRole,
		ReadContext:   readRole,
		UpdateContext: updateRole,
		DeleteContext: deleteRole,
		Importer:      &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
	}
}

func onlyEncrypted(value any, _ string) ([]string, []error) {
	if value == false {
		return nil, []error{fmt.Errorf("%s: found encryptedPassword false, expected true: "+
			"no supported PostgreSQL stores a password in clear", Title)}
	}
	return nil, nil
}

func notWriteOnly(_ any, _ string) ([]string, []error) {
	return nil, []error{fmt.Errorf("%s: found passwordWo or passwordWoVersion, which need the official plugin; expected password", Title)}
}

func createRole(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	name := data.Get("name").(string)
	failed := meta.(*server).inTransaction(ctx, fmt.Sprintf("create of role %q", name), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE ROLE "+quoteIdent(name)); err != nil {
			return err
		}
		return changeRole(ctx, tx, name, data)
	})
	if failed != nil {
		return failed
	}
	data.SetId(name)
	return readRole(ctx, data, meta)
}

func updateRole(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	name := data.Get("name").(string)
	what := fmt.Sprintf("update of role %q", data.Id())
	failed := meta.(*server).inTransaction(ctx, what, func(tx pgx.Tx) error {
		if name != data.Id() {
			statement := fmt.Sprintf("ALTER ROLE %s RENAME TO %s", quoteIdent(data.Id()), quoteIdent(name))
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return changeRole(ctx, tx, name, data)
	})
	if failed != nil {
		// The bridge would otherwise record the new values.
		data.Partial(true)
		return failed
	}
	data.SetId(name)
	return readRole(ctx, data, meta)
}

func deleteRole(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	server, name := meta.(*server), data.Id()
	return server.inTransaction(ctx, fmt.Sprintf("delete of role %q", name), func(tx pgx.Tx) error {
		found, err := texts(ctx, tx, "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = $1", name)
		if err != nil || len(found) == 0 {
			return err
		}
		skipDrop := data.Get("skip_drop_role").(bool)
		if !skipDrop {
			if err := refuseOtherUses(ctx, tx, name); err != nil {
				return err
			}
		}
		if !data.Get("skip_reassign_owned").(bool) {
			if err := reassignOwned(ctx, tx, name, server.databaseUsername, skipDrop); err != nil {
				return err
			}
		}
		if skipDrop {
			return nil
		}
		_, err = tx.Exec(ctx, "DROP ROLE "+quoteIdent(name))
		return err
	})
}

// How many objects of each other database belong to a role or grant it something.
const otherUses = `SELECT database.datname::text, count(*)::int8
FROM pg_catalog.pg_shdepend use JOIN pg_catalog.pg_database database ON database.oid = use.dbid
WHERE use.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND database.datname <> pg_catalog.current_database()
AND use.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1)
GROUP BY 1 ORDER BY 1`

type otherUse struct {
	Database string
	Objects  int64
}

// refuseOtherUses says what to run where another database keeps the server from dropping the role.
func refuseOtherUses(ctx context.Context, tx pgx.Tx, name string) error {
	rows, err := tx.Query(ctx, otherUses, name)
	if err != nil {
		return err
	}
	uses, err := pgx.CollectRows(rows, pgx.RowToStructByPos[otherUse])
	if err != nil || len(uses) == 0 {
		return err
	}
	var heir string
	if err := tx.QueryRow(ctx, "SELECT current_user::text").Scan(&heir); err != nil {
		return err
	}
	return errors.New(describeOtherUses(name, heir, uses))
}

func describeOtherUses(name, heir string, uses []otherUse) string {
	lines := []string{"other databases of the server use the role; expected none, because a role belongs to the whole server. Nothing was changed."}
	for _, use := range uses {
		objects := "objects belong to it or grant it something"
		if use.Objects == 1 {
			objects = "object belongs to it or grants it something"
		}
		lines = append(lines, fmt.Sprintf("  database %s: %d %s. Run there: REASSIGN OWNED BY %[4]s TO %[5]s; DROP OWNED BY %[4]s;",
			quoteIdent(use.Database), use.Objects, objects, quoteIdent(name), quoteIdent(heir)))
	}
	return strings.Join(append(lines, "Then run the same command again."), "\n")
}

// reassignOwned hands what the role owns in this database to the connected role and takes its grants away.
func reassignOwned(ctx context.Context, tx pgx.Tx, name, heir string, roleStays bool) error {
	var self string
	var allowed bool
	const query = "SELECT current_user::text, pg_has_role($1, 'USAGE')"
	if err := tx.QueryRow(ctx, query, name).Scan(&self, &allowed); err != nil {
		return err
	}
	if heir == "" {
		heir = self
	}
	if !allowed {
		// REASSIGN OWNED needs the rights of both roles. A dropped role takes this membership with it.
		if err := grantMembership(ctx, tx, self, name, false); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		fmt.Sprintf("REASSIGN OWNED BY %s TO %s", quoteIdent(name), quoteIdent(heir)),
		"DROP OWNED BY " + quoteIdent(name),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if !allowed && roleStays {
		_, err := tx.Exec(ctx, fmt.Sprintf("REVOKE %s FROM %s", quoteIdent(name), quoteIdent(self)))
		return err
	}
	return nil
}
