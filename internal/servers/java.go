package servers

import (
	"context"
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// poms are Maven projects without code; their runtime dependencies are an installation.
//
//go:embed poms/*.xml
var poms embed.FS

// log4j sends everything to stderr, which is the server's log file. What matters must fit into the end of the log, so it
// leaves out the settings, which every client lists by the hundred, and what the web server says about readiness checks
// during a shutdown, and of an exception it shows the root cause and where that is from.
const log4j = `<Configuration>
  <Appenders>
    <Console name="log" target="SYSTEM_ERR">
      <RegexFilter regex="(?s)\w+ values:.*" onMatch="DENY" onMismatch="NEUTRAL"/>
      <PatternLayout pattern="%d{HH:mm:ss.SSS} %p %c{1} %m%n%rEx{12}"/>
    </Console>
  </Appenders>
  <Loggers>
    <Logger name="org.apache.kafka.connect.runtime.rest.RestServer" level="warn"/>
    <Logger name="org.eclipse.jetty" level="error"/>
    <Logger name="org.glassfish" level="error"/>
    <Root level="info"><AppenderRef ref="log"/></Root>
  </Loggers>
</Configuration>
`

// findJava prefers JAVA_HOME, as Maven does.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return exec.LookPath(filepath.Join(home, "bin", "java"))
	}
	return exec.LookPath("java")
}

func findMaven() (string, error) { return exec.LookPath("mvn") }

// jars returns the folder that holds, in a folder named lib, the runtime dependencies of poms/<name>.xml.
func jars(ctx context.Context, name string) (string, error) {
	pom, err := poms.ReadFile("poms/" + name + ".xml")
	if err != nil {
		return "", err
	}
	return cached(name, string(pom), func(dir string) error {
		mvn, err := ensure(ctx, findMaven, "maven", "default-jre-headless")
		if err != nil {
			return err
		}
		project := filepath.Join(dir, "pom.xml")
		if err := os.WriteFile(project, pom, 0o644); err != nil {
			return err
		}
		return output(ctx, nil, mvn, "-q", "-B", "-Dstyle.color=never", "-f", project, "dependency:copy-dependencies",
			"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(dir, "lib"))
	})
}

// jvm describes a Java server: its main class with arguments, its jars and its folder.
func jvm(tb testing.TB, name, jars, dir string, args ...string) spec {
	tb.Helper()
	java, err := program(tb.Context(), findJava, "default-jre-headless")
	if err != nil {
		tb.Fatal(err)
	}
	config := filepath.Join(dir, "log4j2.xml")
	write(tb, config, log4j)
	return spec{
		name: name,
		path: java,
		// The serial collector and the first compiler alone: these servers live for seconds, and tests have few cores.
		args: append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-Dlog4j2.configurationFile=" + config, "-cp", filepath.Join(jars, "lib", "*")}, args...),
		dir:  dir,
		log:  filepath.Join(dir, name+".log"),
		stop: syscall.SIGTERM,
	}
}
