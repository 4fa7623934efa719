package roles

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/secure/precis"
)

const (
	scramPrefix     = "SCRAM-SHA-256$"
	scramIterations = 4096
	scramSaltBytes  = 16
)

// passwordVerifier turns a password into what pg_authid stores, so that the statement which sets it, and
// with it the server's log, never holds the password. A value that is a verifier already stays as it is.
func passwordVerifier(password string) (string, error) {
	if isVerifier(password) {
		return password, nil
	}
	salt := make([]byte, scramSaltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	return scramVerifier(password, salt, scramIterations)
}

// verifierMatches tells whether a stored verifier was made from this password.
func verifierMatches(verifier, password, role string) bool {
	if verifier == password {
		return true
	}
	if strings.HasPrefix(verifier, "md5") {
		sum := md5.Sum([]byte(password + role))
		return verifier == "md5"+hex.EncodeToString(sum[:])
	}
	fields := strings.FieldsFunc(strings.TrimPrefix(verifier, scramPrefix), func(r rune) bool { return r == ':' || r == '$' })
	if !strings.HasPrefix(verifier, scramPrefix) || len(fields) < 2 {
		return false
	}
	iterations, err := strconv.Atoi(fields[0])
	if err != nil {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return false
	}
	expected, err := scramVerifier(password, salt, iterations)
	return err == nil && subtle.ConstantTimeCompare([]byte(expected), []byte(verifier)) == 1
}

func isVerifier(text string) bool {
	if strings.HasPrefix(text, scramPrefix) {
		return true
	}
	digits, isMd5 := strings.CutPrefix(text, "md5")
	_, err := hex.DecodeString(digits)
	return isMd5 && len(digits) == 32 && err == nil
}

// scramVerifier follows RFC 5803 in the form that PostgreSQL stores.
func scramVerifier(password string, salt []byte, iterations int) (string, error) {
	prepared, err := precis.OpaqueString.String(password)
	if err != nil {
		// The server, too, takes a password that cannot be prepared as it is.
		prepared = password
	}
	salted, err := pbkdf2.Key(sha256.New, prepared, salt, iterations, sha256.Size)
	if err != nil {
		return "", err
	}
	storedKey := sha256.Sum256(mac(salted, "Client Key"))
	serverKey := mac(salted, "Server Key")
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s%d:%s$%s:%s", scramPrefix, iterations, encode(salt), encode(storedKey[:]), encode(serverKey)), nil
}

func mac(key []byte, text string) []byte {
	sum := hmac.New(sha256.New, key)
	sum.Write([]byte(text))
	return sum.Sum(nil)
}
