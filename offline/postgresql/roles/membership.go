package roles

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The memberships of a role, one row for each role that it is a member of.
const membershipsOf = `SELECT DISTINCT granted.rolname::text FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles granted ON granted.oid = m.roleid
JOIN pg_catalog.pg_roles member ON member.oid = m.member
WHERE member.rolname = $1 ORDER BY 1`

// The grantors of one membership; since PostgreSQL 16 there can be several.
const grantorsOf = `SELECT DISTINCT grantor.rolname::text FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles granted ON granted.oid = m.roleid
JOIN pg_catalog.pg_roles member ON member.oid = m.member
JOIN pg_catalog.pg_roles grantor ON grantor.oid = m.grantor
WHERE member.rolname = $1 AND granted.rolname = $2`

func memberships(ctx context.Context, tx pgx.Tx, member string) ([]string, error) {
	return texts(ctx, tx, membershipsOf, member)
}

func grantMembership(ctx context.Context, tx pgx.Tx, member, granted string, withAdmin bool) error {
	statement := fmt.Sprintf("GRANT %s TO %s", quoteIdent(granted), quoteIdent(member))
	if withAdmin {
		statement += " WITH ADMIN OPTION"
	}
	_, err := tx.Exec(ctx, statement)
	return err
}

// revokeMembership ends a membership whoever granted it; it does nothing where there is none, for example
// because one of the two roles is gone.
func revokeMembership(ctx context.Context, tx pgx.Tx, member, granted string) error {
	grantors, err := texts(ctx, tx, grantorsOf, member, granted)
	if err != nil || len(grantors) == 0 {
		return err
	}
	statement := fmt.Sprintf("REVOKE %s FROM %s", quoteIdent(granted), quoteIdent(member))
	if _, err := tx.Exec(ctx, statement); err != nil {
		return err
	}
	// A plain REVOKE ends only the membership that the connected role granted.
	grantors, err = texts(ctx, tx, grantorsOf, member, granted)
	if err != nil {
		return err
	}
	for _, grantor := range grantors {
		if _, err := tx.Exec(ctx, statement+" GRANTED BY "+quoteIdent(grantor)); err != nil {
			return err
		}
	}
	return nil
}

func texts(ctx context.Context, tx pgx.Tx, query string, parameters ...any) ([]string, error) {
	rows, err := tx.Query(ctx, query, parameters...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
