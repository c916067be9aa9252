<?php

/** Runs every test of this folder: `SERVICE_URL=... SERVICE_TOKEN=... php tests/run.php`, or make test-clients. */

declare(strict_types=1);

error_reporting(E_ALL);
set_error_handler(static function (int $level, string $text, string $file, int $line): bool {
    if ((error_reporting() & $level) === 0) {
        return false; // silenced by an @
    }
    throw new ErrorException($text, 0, $level, $file, $line);
});

require __DIR__ . '/../autoload.php';
// what one test needs: by Composer, or as packages of a distribution
foreach (['GuzzleHttp/Psr7', 'Psr/Http/Client'] as $package) {
    $file = stream_resolve_include_path("$package/autoload.php");
    if ($file !== false) {
        require_once $file;
    }
}
if (is_file(__DIR__ . '/../vendor/autoload.php')) {
    require __DIR__ . '/../vendor/autoload.php';
}
require __DIR__ . '/asserting.php';

$tests = [];
foreach (['service', 'seeds', 'sending', 'webhooks'] as $name) {
    $tests = array_merge($tests, require __DIR__ . "/$name.php");
}
$failed = 0;
foreach ($tests as $sentence => $test) {
    try {
        $said = $test();
        echo $said === null ? "ok      $sentence\n" : "skipped $sentence: $said\n";
    } catch (Throwable $error) {
        ++$failed;
        echo "FAILED  $sentence\n$error\n";
    }
}
exit($failed === 0 ? 0 : 1);
