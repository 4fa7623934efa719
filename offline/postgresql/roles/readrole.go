package roles

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/jackc/pgx/v5"
)

// One role's attributes. $2 is the valid_until that the state has: where it means the same moment, the
// state's spelling is kept, so that '2030-01-01' does not differ from the server's way to write it.
const roleAttributes = `SELECT rolname::text AS name, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin,
rolreplication, rolbypassrls, rolconnlimit::int8 AS connection_limit,
CASE WHEN coalesce(rolvaliduntil, 'infinity') = nullif($2, '')::timestamptz THEN $2
  ELSE coalesce(rolvaliduntil::text, 'infinity') END AS valid_until,
coalesce(rolconfig, '{}') AS settings
FROM pg_catalog.pg_roles WHERE rolname = $1`

type roleRow struct {
	Name                                 string
	Super, CreateDB, CreateRole, Inherit bool
	CanLogin, Replication, BypassRLS     bool
	ConnectionLimit                      int64
	ValidUntil                           string
	Settings                             []string
}

func readRole(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	server := meta.(*server)
	return server.inTransaction(ctx, fmt.Sprintf("read of role %q", data.Id()), func(tx pgx.Tx) error {
		until := data.Get("valid_until").(string)
		if isInfinity(until) {
			until = "infinity"
		}
		rows, err := tx.Query(ctx, roleAttributes, data.Id(), until)
		if err != nil {
			return err
		}
		row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[roleRow])
		if errors.Is(err, pgx.ErrNoRows) {
			data.SetId("")
			return nil
		}
		if err != nil {
			return err
		}
		granted, err := memberships(ctx, tx, row.Name)
		if err != nil {
			return err
		}
		password, err := readPassword(ctx, tx, server, row, data.Get("password").(string))
		if err != nil {
			return err
		}
		settings, err := readSettings(row.Settings)
		if err != nil {
			return err
		}
		data.SetId(row.Name)
		found := map[string]any{
			"name":                      row.Name,
			"superuser":                 row.Super,
			"create_database":           row.CreateDB,
			"create_role":               row.CreateRole,
			"inherit":                   row.Inherit,
			"login":                     row.CanLogin,
			"replication":               row.Replication,
			"bypass_row_level_security": row.BypassRLS,
			"connection_limit":          row.ConnectionLimit,
			"valid_until":               row.ValidUntil,
			"roles":                     granted,
			"password":                  password,
			"encrypted_password":        true,
			"skip_drop_role":            data.Get("skip_drop_role"),
			"skip_reassign_owned":       data.Get("skip_reassign_owned"),
		}
		for attribute, value := range settings {
			found[attribute] = value
		}
		for attribute, value := range found {
			if err := data.Set(attribute, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// readPassword gives back the password of the state as long as the server's verifier was made from it, and
// the verifier itself once someone else has changed the password, which then shows as drift.
func readPassword(ctx context.Context, tx pgx.Tx, server *server, row roleRow, known string) (string, error) {
	if !row.CanLogin || !server.superuser {
		return known, nil
	}
	var isSuperuser bool
	const query = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
	if err := tx.QueryRow(ctx, query).Scan(&isSuperuser); err != nil {
		return "", err
	}
	if !isSuperuser {
		return "", fmt.Errorf("found that %s is not a superuser, expected one to read role passwords back: "+
			"set superuser: false in the options of the postgresql provider", server.username)
	}
	var verifier string
	const verifierOf = "SELECT coalesce(rolpassword, '') FROM pg_catalog.pg_authid WHERE rolname = $1"
	if err := tx.QueryRow(ctx, verifierOf, row.Name).Scan(&verifier); err != nil {
		return "", err
	}
	if known != "" && verifierMatches(verifier, known, row.Name) {
		return known, nil
	}
	if verifier == "" && strings.EqualFold(known, "null") {
		return known, nil
	}
	return verifier, nil
}

// readSettings picks the settings that are attributes out of pg_roles.rolconfig ("name=value").
func readSettings(settings []string) (map[string]any, error) {
	found := map[string]any{
		"statement_timeout":                   0,
		"idle_in_transaction_session_timeout": 0,
		"assume_role":                         "",
		"search_path":                         []string(nil),
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		switch name {
		case "statement_timeout", "idle_in_transaction_session_timeout":
			milliseconds, err := readMilliseconds(value)
			if err != nil {
				return nil, fmt.Errorf("found the role setting %s, expected a whole number of ms, s, min, h or d", setting)
			}
			found[name] = milliseconds
		case "role":
			found["assume_role"] = value
		case "search_path":
			found["search_path"] = splitSearchPath(value)
		}
	}
	return found, nil
}

// readMilliseconds reads a duration as the server keeps it: as it was given, such as "5000" or "5s".
func readMilliseconds(value string) (int, error) {
	digits := strings.TrimRight(value, "dhimns ")
	number, err := strconv.Atoi(digits)
	factors := map[string]int{"": 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
	factor, isKnown := factors[strings.TrimSpace(value[len(digits):])]
	if err != nil || !isKnown {
		return 0, fmt.Errorf("not a duration: %s", value)
	}
	return number * factor, nil
}

// splitSearchPath undoes the quoting of "a, \"b c\"".
func splitSearchPath(value string) []string {
	parts := strings.Split(value, ", ")
	for index, part := range parts {
		if inner, isQuoted := strings.CutPrefix(part, `"`); isQuoted {
			parts[index] = strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
		}
	}
	return parts
}
