"""The client for PHP: its own tests against a service, and its methods."""

import json
import subprocess

from served import ROOT

PACKAGE = ROOT / "clients" / "php"
METHODS = (
    "require 'autoload.php'; $class = new ReflectionClass(RagService\\Client\\Client::class);"
    "$methods = $class->getMethods(ReflectionMethod::IS_PUBLIC);"
    "echo json_encode(array_map(fn ($method) => $method->getName(), $methods));"
)


def run(command, **more):
    done = subprocess.run(
        command, cwd=PACKAGE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_its_own_tests_pass(php, server):
    said = run([php, "tests/run.php"], env=server.environ())
    assert "ok      a page is pushed" in said


def test_each_operation_has_a_method(php, operations):
    operations.compare({*json.loads(run([php, "-r", METHODS]))} - {"__construct", "verifyWebhook"})


AROUND = """
    $had = array_keys(get_defined_vars());
    $before = [get_defined_functions()['user'], get_defined_constants(true)['user'] ?? []];
    require 'autoload.php';
    require 'autoload.php';
    new RagService\\Client\\Client('http://127.0.0.1:9');
    $after = [get_defined_functions()['user'], get_defined_constants(true)['user'] ?? []];
    $more = array_diff(array_keys(get_defined_vars()), $had, ['had', 'before', 'after']);
    echo json_encode([$before === $after, $more]);
"""


def test_nothing_is_left_behind_in_the_program_around_it(php):
    """No global variable, function or constant, as a plugin of WordPress should."""
    assert json.loads(run([php, "-r", AROUND])) == [True, []]
