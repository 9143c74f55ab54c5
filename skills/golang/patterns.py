"""What Go's libraries and runtime say of themselves and the common table of logfaults does not hold.

Sources of the wordings: runtime, database/sql, net/http, http2, plugin; pgx (puddle), redigo, viper, envconfig, gRPC.
"""

from __future__ import annotations

from skills.logfaults.pattern import entry

PATTERNS = (
    entry(
        "go pool exhausted",
        "waits for a connection of its own pool in vain",
        r"(?:acquir\w+|get(?:ting)?|obtain\w*)(?: an?| the)? (?:(?:db|database|sql|pool(?:ed)?|pgx?) )*"
        r"conn(?:ection)?s?(?: from (?:the )?pool)?:? .{0,60}(?:context deadline exceeded|timeout|timed out)",
        r"redigo: connection pool exhausted|sql: connection pool exhausted",
        r"(?:pgxpool|puddle|sqlx?|gorm).{0,60}(?:pool (?:is )?(?:exhausted|full)|timeout waiting for connection)",
        r"database/sql: timeout waiting for connection",
        hints="conn|pool",
        unless=r"connect: |dial tcp|no such host",
        faults="connection_pool_exhausted slow_query_or_lock",
        culprit="store",
        specificity=0.78,
        twin="a context that ends while it waits for an answer, not for a connection",
    ),
    entry(
        "go pool closed",
        "uses a pool or database that it has closed",
        r"sql: database is closed|\bclosed pool\b|redis: client is closed|grpc: the client connection is closing",
        hints="is closed|closed pool|is closing",
        faults="code_defect_in_release",
        specificity=0.5,
        steady=True,
    ),
    entry(
        "go too many streams",
        "is told to slow down by an HTTP/2 peer",
        r"ENHANCE_YOUR_CALM|too_many_pings|REFUSED_STREAM",
        r"http2: (?:no cached connection was available|client conn(?:ection)? (?:not usable|could not be established))",
        hints="enhance_your_calm|too_many_pings|refused_stream|http2: ",
        faults="traffic_surge config_value_harmful",
        role="effect",
        specificity=0.45,
        steady=True,
    ),
    entry(
        "go dependencies conflict",
        "was built of parts that do not fit together",
        r"plugin was built with a different version of package (?P<object>\S+)",
        r"proto: file \"(?P<object2>[^\"]+)\" is already registered",
        r"http: multiple registrations for (?P<object3>\S+)|pattern \"(?P<object4>[^\"]+)\" .{0,80}conflicts with",
        r"sql: Register called twice for driver|flag redefined: |Reuse of exported var name",
        hints="different version of package|already registered|multiple registrations|conflicts with|called twice"
        "|redefined|reuse of exported",
        faults="boot_dependency_missing code_defect_in_release",
        specificity=0.82,
    ),
    entry(
        "go configuration missing",
        "does not find its configuration",
        r"Config File \"(?P<object>[^\"]+)\" Not Found in",
        r"required key (?P<object2>\w+) missing value",
        r"While parsing config: (?P<object3>[^\n]{1,80})",
        hints="config file|required key|while parsing config",
        faults="config_value_harmful secret_or_configmap_missing boot_dependency_missing",
        specificity=0.72,
    ),
    entry(
        "go runtime stopped it",
        "is stopped by its own runtime",
        r"^(?:\S+ )?fatal error: (?P<object>concurrent map[^\n]*|all goroutines are asleep[^\n]*|stack overflow"
        r"|sync: [^\n]*|checkptr[^\n]*)",
        r"goroutine stack exceeds \d+-byte limit",
        hints="fatal error: |goroutine stack exceeds",
        faults="code_defect_in_release",
        specificity=0.44,
    ),
)
