<?php
// The responder that `iiswsgi-conformance --help` describes, for php-fpm.
$early = isset($_SERVER['ECHO_EARLY']);
$body = $early ? '' : file_get_contents('php://input');
if (isset($_SERVER['ECHO_STDERR'])) {
    error_log($_SERVER['ECHO_STDERR']);
}
header('Content-Type: text/plain');
header('X-FastCGI-Echo: stderr early');
foreach ($_SERVER as $name => $value) {
    // What PHP adds by itself is no variable of the request.
    if (is_string($value) && !in_array($name, ['PHP_SELF', 'FCGI_ROLE'])) {
        echo $name, '=', bin2hex($value), "\n";
    }
}
echo 'STDIN ', strlen($body), "\n", $body;
