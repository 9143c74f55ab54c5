"""Groups A, I9, J and K: permissions of the Kubernetes API, third parties, flags, contracts, jobs, retries.

Sources of the wordings: Kubernetes API status messages and client-go, client-python ApiException, OpenFeature,
flagd, the OpenTelemetry demo, gRPC, requests, axios, Spring, protobuf and JSON libraries, Celery and CronJob programs.
"""

from __future__ import annotations

from skills.logfaults.pattern import entry

PATTERNS = (
    entry(
        "kubernetes api forbids",
        "is forbidden by the Kubernetes API",
        r"is forbidden: User \\?\"(?P<object>system:serviceaccount:[^\"\\]+)\\?\" cannot",
        r"\(403\)\s+Reason: Forbidden",
        r"ApiException.{0,20}403",
        r"is forbidden: User ",
        r"cannot (?:get|list|watch|create|update|patch|delete) resource \\?\"",
        r"io\.fabric8.{0,120}Forbidden",
        hints="is forbidden: user|403|cannot |forbidden",
        faults="rbac_permission_revoked",
        specificity=0.9,
        twin="F10: the mesh denies; I2: the database denies",
    ),
    entry(
        "kubernetes api overloaded",
        "is throttled by the Kubernetes API",
        r"the server has received too many requests and has asked us to try again later",
        r"etcdserver: (?:request timed out|too many requests|leader changed)",
        r"Waited for [\d.]+(?:s|ms) due to client-side throttling",
        r"client rate limiter Wait returned an error",
        r"failed to (?:renew|acquire) lease [\w-]+/[\w-]+|leaderelection lost",
        r"(?:apiserver|kubernetes\.default).{0,80}(?:429|Too Many Requests|net/http: TLS handshake timeout)",
        hints="too many requests|etcdserver|client-side throttling|rate limiter|lease|leaderelection|apiserver"
        "|kubernetes.default",
        faults="api_server_overload",
        role="effect",
        specificity=0.7,
    ),
    # --- J2 -------------------------------------------------------------------------------------------------------
    entry(
        "feature flag",
        "fails because of a feature flag",
        r"(?:fail(?:ure|ed|ing)?|error).{0,80}feature ?flag.{0,40}(?:enabled|on\b|true|active)",
        r"feature ?flag.{0,60}(?:enabled|activated|is on).{0,60}(?:fail|error|slow|overload|leak|delay)",
        r"Fail Feature Flag Enabled",
        r"failure triggered by feature flag",
        r"Flag\w+ is (?:activated|enabled)",
        r"feature flag \\?[\"'`]?(?P<object>[\w.-]+)\\?[\"'`]? (?:evaluated|changed|flipped|switched)",
        r"flag_name\W+(?P<object2>\w+)",
        r"FEATURE_FLAG \w+ (?:on|enabled)",
        hints="flag",
        faults="feature_flag_harmful",
        specificity=0.85,
        twin="J1: a release, not a flag, came first",
    ),
    entry(
        "flag service",
        "cannot evaluate its flags",
        r"FLAG_NOT_FOUND|PROVIDER_NOT_READY|flag not found|(?:flagd|openfeature|launchdarkly"
        r"|unleash).{0,120}(?:error|failed|unavailable|unreachable)",
        hints="flag_not_found|provider_not_ready|flag not found|flagd|openfeature|launchdarkly|unleash",
        faults="feature_flag_harmful",
        role="effect",
        specificity=0.35,
        steady=True,
    ),
    entry(
        "invalid token flag",
        "rejects every payment",
        r"Payment request failed\. Invalid token",
        hints="invalid token",
        faults="feature_flag_harmful code_defect_in_release",
        specificity=0.7,
    ),
    # --- J1, in one line: a recovered panic, a caught exception; with a stack trace crashes.py tells more
    entry(
        "programming error",
        "fails by its own code",
        r"runtime error: (?:invalid memory address|index out of range|slice bounds|integer divide|makeslice|hash of)",
        r"assignment to entry in nil map|send on closed channel|close of closed channel|interface conversion: ",
        r"Cannot read propert(?:y|ies) (?:'\w+' )?of (?:undefined|null)|\w+ is not (?:a function|iterable)$"
        r"|ReferenceError: ",
        r"\bNullPointerException\b|\bClassCastException\b|IndexOutOfBoundsException|NullReferenceException",
        r"'NoneType' object (?:has no|is not)|(?:list|string|tuple) index out of range|object has no attribute '",
        r"^(?:[\w\[\]:,.\- ]*\b)?(?:KeyError|TypeError|AttributeError|NameError|UnboundLocalError"
        r"|ZeroDivisionError): ",
        r"undefined method `|Undefined (?:variable|array key|index)|division by zero",
        r"NoSuchMethodError: |NoSuchFieldError: |AbstractMethodError",
        r"required a bean of type '[^']+' that could not be found",
        r"thread '[^']+' (?:\(\d+\) )?panicked at ",
        hints="runtime error|nil map|closed channel|interface conversion|cannot read propert|is not a function"
        "|referenceerror|is not iterable|nullpointer|classcast|indexoutofbounds|nullreference|nonetype|out"
        " of range|no attribute|keyerror|typeerror|attributeerror|nameerror|unboundlocal|division|undefined"
        " method|undefined "
        "|nosuchmethod|nosuchfield|abstractmethod|required a bean|panicked at",
        unless=r"fetch failed|Failed to fetch"
        r"|panicked at .{0,200}(?:refused|timed out|dns error|error trying to connect)",
        faults="code_defect_in_release contract_broken_between_services feature_flag_harmful",
        specificity=0.72,
        twin="J4: the message that it trips over was changed by another service",
    ),
    # --- J3 -------------------------------------------------------------------------------------------------------
    entry(
        "configuration reloaded",
        "reloaded its configuration",
        r"config(?:uration)? (?:file )?(?:was |has been |successfully )?(?:re-?loaded|refreshed)"
        r"(?:: ?(?P<object>[\w.-]+ ?= ?\S+))?",
        r"(?:re-?loaded|refreshed) (?:the |its )?config(?:uration)?(?:: ?(?P<object2>[\w.-]+ ?= ?\S+))?",
        r"Refresh keys changed: \[(?P<object3>[^\]]+)\]",  # Spring Cloud
        hints="config|refresh keys",
        unless=r"fail|error|invalid|cannot",
        faults="config_value_harmful",
        role="change",
        specificity=0.5,
    ),
    entry(
        "configuration invalid",
        "cannot use its configuration",
        r"(?:invalid|bad|malformed|cannot parse|failed to (?:parse|load|read|unmarshal)) (?:the"
        r" )?config(?:uration)?\b",
        r"yaml: (?:line \d+|unmarshal errors)",
        r"toml: line \d+",
        r"InvalidConfigurationPropertyValueException|ConfigurationPropertiesBindException|Failed to bind properties"
        r" under '(?P<object>[^']+)'",
        r"time: (?:invalid|unknown unit|missing unit).{0,40}duration",
        r"strconv\.\w+: parsing \\?\".{0,60}invalid syntax",
        r"invalid literal for int\(\) with base 10",
        r"nginx: \[emerg\]|\[emerg\] .{0,80}",
        r"dial tcp: address (?P<object2>\S+): (?:missing port|too many colons|unknown port)",
        r"invalid (?:port|URL|url|URI)\b.{0,60}",
        r"unsupported protocol scheme|No schema supplied|Invalid URL",
        r"Config\w*Error\b|ConfigException\b",
        hints="config|yaml:|toml:|bind properties|duration|strconv|invalid literal|[emerg]|dial tcp: address"
        "|invalid port|invalid ur|unsupported protocol|no schema|invalid url",
        faults="config_value_harmful dependency_address_wrong",
        specificity=0.62,
    ),
    # --- J4 -------------------------------------------------------------------------------------------------------
    entry(
        "contract broken",
        "disagrees with another service about a schema",
        r"\b422\b.{0,40}Unprocessable",
        r"JSONDecodeError|JsonParseException|json: cannot unmarshal|Unexpected token .{1,20} in JSON|is not valid"
        r" JSON|JsonMappingException|UnrecognizedPropertyException|MismatchedInputException",
        r"InvalidProtocolBufferException|proto: (?:cannot parse|wrong wireType|illegal|required field)|DecodeError:"
        r" Error parsing message|Wire format error",
        r"ValidationError.{0,80}(?:field required|Field required|validation errors? for)",
        r"TProtocolException|Missing version in readMessageBegin|Received (?:http2 header|message larger)"
        r"|jsonschema\.\w+ValidationError|schema (?:mismatch|registry.{0,40}incompatible)",
        r"HttpMessageNotReadableException|(?:Required|Missing) (?:request )?(?:parameter|field|property)"
        r" '(?P<object>[^']+)'",
        hints="422|jsondecode|jsonparse|cannot unmarshal|unexpected token|valid json|jsonmapping"
        "|unrecognizedproperty|mismatchedinput|protocolbuffer|proto:|decodeerror|wire format|validationerror"
        "|tprotocol|missing version|http2 header|message larger|schema|notreadable|required|missing",
        faults="contract_broken_between_services code_defect_in_release",
        specificity=0.55,
        steady=True,
        twin="J1: the workload that throws changed itself; J4: the one that it calls did",
    ),
    # --- J6 -------------------------------------------------------------------------------------------------------
    entry(
        "job failed",
        "failed as a job",
        r"Job has reached the specified backoff limit|BackoffLimitExceeded",
        r"(?:cron ?job|scheduled (?:job|task)|batch job|nightly \w+) .{0,60}(?:failed|error|aborted)",
        r"(?:Task|Job) [\w.\[\]-]+ raised unexpected",
        hints="backoff limit|backofflimit|cron|scheduled|batch job|nightly|raised unexpected",
        faults="scheduled_job_failing",
        specificity=0.6,
    ),
    # --- I9, K ----------------------------------------------------------------------------------------------------
    entry(
        "rate limited",
        "is rate-limited by what it calls",
        r"\b429\b.{0,60}(?:Too Many Requests|rate limit|for url:? https?://(?P<host>[\w.-]+))",
        r"Client error '429 [^']*' for url 'https?://(?P<host2>[\w.-]+)",  # httpx
        r"ClientResponseError: 429\b.{0,80}url=(?:URL\()?'?https?://(?P<host3>[\w.-]+)",  # aiohttp
        r"Too Many Requests",
        r"too many 429 error responses",  # urllib3
        r"rate limit(?:ed)? exceeded|RateLimitError|rate_limit_exceeded|quota exceeded for|RESOURCE_EXHAUSTED|code"
        r" = ResourceExhausted",
        r"Request failed with status code 429",
        r"ThrottlingException|SlowDown\b|429 RL\b",
        hints="429|too many requests|rate limit|ratelimit|rate_limit|quota exceeded for|resource_exhausted"
        "|resourceexhausted|throttling|slowdown",
        unless=r"client-side throttling|asked us to try again later|requests\.memory|requests\.cpu",
        faults="external_dependency_failing traffic_surge",
        role="effect",
        specificity=0.6,
        twin="K1: our own service sheds load; I9: a host that is not ours",
    ),
    entry(
        "sheds load",
        "sheds load",
        r"(?:load shed|shedding|overload(?:ed)?|server (?:is )?(?:too )?busy|(?<!message )(?<!event )queue (?:is )?full"
        r"|RejectedExecutionException|max(?:imum)? concurren\w+ (?:reached|exceeded)|503 UO\b|upstream_max_\w+"
        r"|reset reason: overflow|circuit.?breaker.{0,30}(?:open|tripped))",
        r"worker_connections are not enough|listen queue of socket .{0,40}full|Task queue depth is \d{2,}|limiting"
        r" (?:requests|connections)",
        r"CallNotPermittedException|BulkheadFullException",
        r"server reached (?:pm\.)?max_children",
        hints="shed|overload|busy|full|rejectedexecution|concurren|503 uo|upstream_max|reset reason: overflow"
        "|breaker|worker_connections|queue depth|limiting|callnotpermitted|bulkhead"
        "|max_children",
        faults="traffic_surge retry_storm",
        role="effect",
        specificity=0.5,
        steady=True,
    ),
    entry(
        "retries",
        "retries again and again",
        r"\bretry(?:ing)?\b.{0,30}\b\d+ ?(?:/|of) ?\d+\b",
        r"\battempt (?:#|number )?\d+(?: ?(?:/|of) ?\d+)?.{0,60}(?:fail|retry)",
        r"retries exhausted|(?:max(?:imum)?|all) retr(?:y|ies)(?: attempts)? (?:exceeded|exhausted|reached|failed)"
        r"|giving up after \d+|RetryError|RetriesExhausted|503 URX\b",
        hints="retr|attempt|giving up|503 urx",
        faults="retry_storm",
        role="effect",
        specificity=0.4,
        steady=True,
        twin="retries follow from any failing dependency; K2: they go on when it is well again",
    ),
)  # fmt: skip
