// The official conformance suite of Gateway API, run as its authors mean it to be run, with a word about each test as
// soon as it has ended: the report counts what passed without naming it.
package conformance_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

var results = flag.String("results", "", "The file that a line of JSON is appended to for each test")

// result is such a line.
type result struct {
	Test     string   `json:"test"`
	Outcome  string   `json:"outcome"` // passed, failed, skipped or unsupported
	Seconds  float64  `json:"seconds"` // since the test before it ended
	Features []string `json:"features"`
}

func TestConformance(t *testing.T) {
	options := conformance.DefaultOptions(t)
	if *results != "" {
		file, err := os.OpenFile(*results, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		last := time.Now()
		options.Hook = func(t *testing.T, test suite.ConformanceTest, suite *suite.ConformanceTestSuite) {
			line := result{Test: test.ShortName, Outcome: outcome(t, test, suite), Seconds: time.Since(last).Seconds()}
			for _, feature := range test.Features {
				line.Features = append(line.Features, string(feature))
			}
			if err := json.NewEncoder(file).Encode(line); err != nil {
				t.Error(err)
			}
			last = time.Now()
		}
	}
	conformance.RunConformanceWithOptions(t, options)
}

func outcome(t *testing.T, test suite.ConformanceTest, suite *suite.ConformanceTestSuite) string {
	switch {
	case !suite.SupportedFeatures.HasAll(test.Features...):
		return "unsupported"
	case t.Failed():
		return "failed"
	case t.Skipped():
		return "skipped"
	default:
		return "passed"
	}
}
