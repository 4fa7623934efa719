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

// Whether a membership exists and, if so, with the admin option; null without the membership.
const membershipAdmin = `SELECT bool_or(m.admin_option) FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles granted ON granted.oid = m.roleid
JOIN pg_catalog.pg_roles member ON member.oid = m.member
WHERE member.rolname = $1 AND granted.rolname = $2`

// The memberships that an id stands for: more than one only where names with underscores overlap.
const membershipsById = `SELECT member.rolname::text, granted.rolname::text, bool_or(m.admin_option)
FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles granted ON granted.oid = m.roleid
JOIN pg_catalog.pg_roles member ON member.oid = m.member
GROUP BY 1, 2 HAVING concat_ws('_', member.rolname, granted.rolname, bool_or(m.admin_option)::text) = $1`

func grantRoleResource() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"role":              {Type: schema.TypeString, Required: true, ForceNew: true},
			"grant_role":        {Type: schema.TypeString, Required: true, ForceNew: true},
			"with_admin_option": {Type: schema.TypeBool, Optional: true, ForceNew: true, Default: false},
		},
		CreateContext: createGrantRole,
		ReadContext:   readGrantRole,
		DeleteContext: deleteGrantRole,
		Importer:      &schema.ResourceImporter{StateContext: importGrantRole},
	}
}

func createGrantRole(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	member, granted := data.Get("role").(string), data.Get("grant_role").(string)
	withAdmin := data.Get("with_admin_option").(bool)
	what := fmt.Sprintf("grant of role %q to %q", granted, member)
	failed := meta.(*server).inTransaction(ctx, what, func(tx pgx.Tx) error {
		// A grant over an existing one would keep its admin option.
		if err := revokeMembership(ctx, tx, member, granted); err != nil {
			return err
		}
		return grantMembership(ctx, tx, member, granted, withAdmin)
	})
	if failed != nil {
		return failed
	}
	data.SetId(grantRoleID(member, granted, withAdmin))
	return readGrantRole(ctx, data, meta)
}

func readGrantRole(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	member, granted := data.Get("role").(string), data.Get("grant_role").(string)
	return meta.(*server).inTransaction(ctx, "read of "+data.Id(), func(tx pgx.Tx) error {
		var withAdmin *bool
		if err := tx.QueryRow(ctx, membershipAdmin, member, granted).Scan(&withAdmin); err != nil {
			return err
		}
		if withAdmin == nil {
			data.SetId("")
			return nil
		}
		data.SetId(grantRoleID(member, granted, *withAdmin))
		return data.Set("with_admin_option", *withAdmin)
	})
}

func deleteGrantRole(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	member, granted := data.Get("role").(string), data.Get("grant_role").(string)
	what := fmt.Sprintf("revoke of role %q from %q", granted, member)
	return meta.(*server).inTransaction(ctx, what, func(tx pgx.Tx) error {
		return revokeMembership(ctx, tx, member, granted)
	})
}

// importGrantRole takes the id that the state has, such as "app_readers_false".
func importGrantRole(ctx context.Context, data *schema.ResourceData, meta any) ([]*schema.ResourceData, error) {
	failed := meta.(*server).inTransaction(ctx, "import of "+data.Id(), func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, membershipsById, data.Id())
		if err != nil {
			return err
		}
		type membership struct {
			Member, Granted string
			WithAdmin       bool
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[membership])
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("found %d memberships, expected one; the id is <role>_<grantRole>_<true|false>", len(found))
		}
		return errors.Join(data.Set("role", found[0].Member), data.Set("grant_role", found[0].Granted),
			data.Set("with_admin_option", found[0].WithAdmin))
	})
	if failed != nil {
		return nil, errors.New(failed[0].Summary)
	}
	return []*schema.ResourceData{data}, nil
}

func grantRoleID(member, granted string, withAdmin bool) string {
	return strings.Join([]string{member, granted, strconv.FormatBool(withAdmin)}, "_")
}
