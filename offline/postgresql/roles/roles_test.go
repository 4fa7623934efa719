package roles

import (
	"strings"
	"testing"
)

func TestProviderSchemaIsValid(t *testing.T) {
	if err := Provider().InternalValidate(); err != nil {
		t.Fatal(err)
	}
}

func TestVerifierHoldsNoPasswordAndMatchesOnlyIt(t *testing.T) {
	verifier, err := passwordVerifier("s3cret'\\")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(verifier, "s3cret") || !strings.HasPrefix(verifier, "SCRAM-SHA-256$4096:") {
		t.Fatalf("not a verifier: %s", verifier)
	}
	if !verifierMatches(verifier, "s3cret'\\", "app") {
		t.Error("the password does not match its own verifier")
	}
	if verifierMatches(verifier, "other", "app") || verifierMatches("", "s3cret", "app") {
		t.Error("another password matches")
	}
}

func TestVerifierStaysAsItIs(t *testing.T) {
	for _, given := range []string{"md5c98cbfeb6a347a47eb8e96cfb4c4b890", "SCRAM-SHA-256$4096:c2FsdA==$a:b"} {
		if verifier, err := passwordVerifier(given); err != nil || verifier != given {
			t.Errorf("%s became %s", given, verifier)
		}
	}
	if verifier, _ := passwordVerifier("md5 of my cat"); !strings.HasPrefix(verifier, scramPrefix) {
		t.Error("a password that begins with md5 was taken for a verifier")
	}
}

func TestMd5VerifierDependsOnTheRole(t *testing.T) {
	const verifier = "md584beda046451d0865a13c73e938a1500"
	if !verifierMatches(verifier, "1234", "app") {
		t.Error("the password does not match its own verifier")
	}
	if verifierMatches(verifier, "1234", "other") {
		t.Error("another role's verifier matches")
	}
}

func TestOtherDatabasesAreNamedWithWhatToRun(t *testing.T) {
	found := describeOtherUses("app", "owner", []otherUse{{"crm", 1}, {`sh"op`, 3}})
	for _, expected := range []string{
		`database "crm": 1 object belongs to it or grants it something. Run there: REASSIGN OWNED BY "app" TO "owner"; DROP OWNED BY "app";`,
		`database "sh""op": 3 objects belong to it or grant it something.`,
	} {
		if !strings.Contains(found, expected) {
			t.Errorf("found %s", found)
		}
	}
}

func TestQuoting(t *testing.T) {
	for given, expected := range map[string]string{`a"b`: `"a""b"`, "Ä b": `"Ä b"`} {
		if quoted := quoteIdent(given); quoted != expected {
			t.Errorf("%s became %s", given, quoted)
		}
	}
	for given, expected := range map[string]string{"a'b": "'a''b'", `a\'b`: ` E'a\\''b'`} {
		if quoted := quoteLiteral(given); quoted != expected {
			t.Errorf("%s became %s", given, quoted)
		}
	}
}

func TestDurations(t *testing.T) {
	for given, expected := range map[string]int{"5000": 5000, "5s": 5000, "2min": 120_000, "7ms": 7, "1d": 86_400_000} {
		if found, err := readMilliseconds(given); err != nil || found != expected {
			t.Errorf("%s became %d (%v)", given, found, err)
		}
	}
	if _, err := readMilliseconds("5 parsecs"); err == nil {
		t.Error("parsecs were taken for a duration")
	}
}

func TestSearchPath(t *testing.T) {
	found := splitSearchPath(`platform, "$user", "a ""b"""`)
	if strings.Join(found, "|") != `platform|$user|a "b"` {
		t.Errorf("found %q", found)
	}
}
