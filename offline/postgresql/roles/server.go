package roles

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// server is the one connection of this process. Calls take turns: concurrent changes of the role catalogs
// end in "tuple concurrently updated".
type server struct {
	host, database, username, password, databaseUsername string
	sslmode, sslrootcert                                 string
	port, connectTimeoutSec                              int
	superuser                                            bool

	turn sync.Mutex
	conn *pgx.Conn
}

// inTransaction runs work in one transaction and rolls it back on an error.
func (s *server) inTransaction(ctx context.Context, what string, work func(tx pgx.Tx) error) diag.Diagnostics {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.conn == nil || s.conn.IsClosed() {
		conn, err := s.connect(ctx)
		if err != nil {
			return diag.FromErr(err)
		}
		s.conn = conn
	}
	if err := pgx.BeginFunc(ctx, s.conn, work); err != nil {
		return diag.Errorf("%s: %s", what, explain(err))
	}
	return nil
}

func (s *server) connect(ctx context.Context) (*pgx.Conn, error) {
	query := url.Values{}
	query.Set("host", s.host)
	query.Set("port", strconv.Itoa(s.port))
	query.Set("sslmode", s.sslmode)
	query.Set("application_name", "pgstrata roles")
	if s.sslrootcert != "" {
		query.Set("sslrootcert", s.sslrootcert)
	}
	if s.connectTimeoutSec > 0 {
		query.Set("connect_timeout", strconv.Itoa(s.connectTimeoutSec))
	}
	address := url.URL{Scheme: "postgres", Path: "/" + s.database, RawQuery: query.Encode()}
	config, err := pgx.ParseConfig(address.String())
	if err != nil {
		return nil, fmt.Errorf("postgresql provider options: %w", err)
	}
	// The credentials stay out of the address, so that no error text can hold them.
	config.User = s.username
	if s.password != "" {
		config.Password = s.password
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("could not connect to PostgreSQL at %s:%d, database %s, as %s: %w",
			s.host, s.port, s.database, s.username, err)
	}
	return conn, nil
}

// explain adds the server's detail and hint, which say for example what a role still owns.
func explain(err error) string {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return err.Error()
	}
	text := fmt.Sprintf("%s (SQLSTATE %s)", answer.Message, answer.Code)
	if answer.Detail != "" {
		text += "; detail: " + answer.Detail
	}
	if answer.Hint != "" {
		text += "; hint: " + answer.Hint
	}
	return text
}
