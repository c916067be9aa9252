<?php

/** For projects without Composer, such as a WordPress plugin: `require 'rag-service-client/autoload.php';` */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    $prefix = 'RagService\\Client\\';
    if (str_starts_with($class, $prefix)) {
        $file = __DIR__ . '/src/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
