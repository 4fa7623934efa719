package roles

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/jackc/pgx/v5"
)

// changeRole brings a role that exists to the wanted attributes. It names only those that change (for a new
// role: that differ from the default), because merely naming some of them needs a superuser.
func changeRole(ctx context.Context, tx pgx.Tx, name string, data *schema.ResourceData) error {
	options, err := changedOptions(data)
	if err != nil {
		return err
	}
	statements := changedSettings(data)
	if len(options) > 0 {
		statements = append([]string{strings.Join(options, " ")}, statements...)
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, fmt.Sprintf("ALTER ROLE %s %s", quoteIdent(name), statement)); err != nil {
			return err
		}
	}
	return changeMemberships(ctx, tx, name, data)
}

func changedOptions(data *schema.ResourceData) ([]string, error) {
	var options []string
	for _, flag := range flags {
		wanted := data.Get(flag.attribute).(bool)
		if !changed(data, flag.attribute, wanted != flag.byDefault) {
			continue
		}
		if wanted {
			options = append(options, flag.on)
		} else {
			options = append(options, flag.off)
		}
	}
	if limit := data.Get("connection_limit").(int); changed(data, "connection_limit", limit != -1) {
		options = append(options, fmt.Sprintf("CONNECTION LIMIT %d", limit))
	}
	if until := data.Get("valid_until").(string); changed(data, "valid_until", !isInfinity(until)) {
		if isInfinity(until) {
			until = "infinity"
		}
		options = append(options, "VALID UNTIL "+quoteLiteral(until))
	}
	// A rename makes an md5 verifier worthless: it holds the name.
	password := data.Get("password").(string)
	renamed := data.HasChange("name") && password != ""
	if changed(data, "password", password != "") || renamed {
		if password == "" || strings.EqualFold(password, "null") {
			return append(options, "PASSWORD NULL"), nil
		}
		verifier, err := passwordVerifier(password)
		if err != nil {
			return nil, err
		}
		options = append(options, "PASSWORD "+quoteLiteral(verifier))
	}
	return options, nil
}

func changedSettings(data *schema.ResourceData) []string {
	var statements []string
	for _, setting := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
		value := data.Get(setting).(int)
		if !changed(data, setting, value != 0) {
			continue
		}
		if value == 0 {
			statements = append(statements, "RESET "+setting)
		} else {
			statements = append(statements, fmt.Sprintf("SET %s TO %d", setting, value))
		}
	}
	if assumed := data.Get("assume_role").(string); changed(data, "assume_role", assumed != "") {
		if assumed == "" {
			statements = append(statements, "RESET role")
		} else {
			statements = append(statements, "SET role TO "+quoteIdent(assumed))
		}
	}
	if path := stringsOf(data.Get("search_path").([]any)); changed(data, "search_path", len(path) > 0) {
		for index, schemaName := range path {
			path[index] = quoteIdent(schemaName)
		}
		if len(path) == 0 {
			statements = append(statements, "RESET search_path")
		} else {
			statements = append(statements, "SET search_path TO "+strings.Join(path, ", "))
		}
	}
	return statements
}

// changeMemberships revokes only what this resource had and no longer wants, so that a membership made by a
// GrantRole stays.
func changeMemberships(ctx context.Context, tx pgx.Tx, name string, data *schema.ResourceData) error {
	before, after := data.GetChange("roles")
	had, wanted := stringsOf(before.(*schema.Set).List()), stringsOf(after.(*schema.Set).List())
	for _, role := range had {
		if !slices.Contains(wanted, role) {
			if err := revokeMembership(ctx, tx, name, role); err != nil {
				return err
			}
		}
	}
	for _, role := range wanted {
		if !slices.Contains(had, role) {
			if err := grantMembership(ctx, tx, name, role, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// changed tells whether an attribute needs a statement; a new role needs one only where the value is not
// the one that CREATE ROLE gives.
func changed(data *schema.ResourceData, attribute string, isSpecial bool) bool {
	if data.IsNewResource() {
		return isSpecial
	}
	return data.HasChange(attribute)
}

func isInfinity(until string) bool {
	return until == "" || strings.EqualFold(until, "infinity") || strings.EqualFold(until, "null")
}

func stringsOf(values []any) []string {
	result := make([]string, 0, len(values))
	for _, value := range values {
		if text, isText := value.(string); isText {
			result = append(result, text)
		}
	}
	return result
}
