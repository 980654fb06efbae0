"""Each place of the console byte for byte, and back; and what an admin may write."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from accounts.catalogue.catalogue import Catalogue, Taken, load_bundled, require_service
from accounts.catalogue.encodings import ENCODINGS, quote_cloudwatch, quote_jsurl
from accounts.catalogue.regions import HOMES, find_words, is_region, list_regions
from accounts.catalogue.services import TYPES, BadService, Parameter, Service
from accounts.sentences import SENTENCES
from accounts.shortcuts import CONSOLE_HOSTS, BadDestination, Destination

TOKYO, ACCOUNT = "ap-northeast-1", "123456789012"
R = f"https://{TOKYO}.console.aws.amazon.com"
CATALOGUE = load_bundled()
CW = f"{R}/cloudwatch/home?region={TOKYO}#"
LOG = f"{CW}logsV2:log-groups/log-group/$252Faws$252Flambda$252Fmy-fn"
INSIGHTS = (
    f"{CW}logsV2:logs-insights$3FqueryDetail$3D~(end~0~start~-3600~timeType~'RELATIVE~unit~'seconds"
    "~editorString~'fields*20*40timestamp*0a*7c*20limit*2020~source~(~'*2faws*2flambda*2fmy-fn))"
)
GROUP = {"log_group": "/aws/lambda/my-fn"}
STACK = "arn:aws:cloudformation:ap-northeast-1:123456789012:stack/net/0a1b2c3d"
MACHINE = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:orders"
EXECUTION = "arn:aws:states:ap-northeast-1:123456789012:execution:orders:0a1b"
TASK = "0123456789abcdef0123456789abcdef"
UUID = "01234567-89ab-cdef-0123-456789abcdef"

# slug → what is filled in, and the address as the console writes it.
WORKED: Mapping[str, tuple[Mapping[str, str], str]] = {
    "cloudwatch-log-groups": ({}, f"{CW}logsV2:log-groups"),
    "cloudwatch-log-groups-filtered": (
        {"name_filter": "/aws/lambda/"}, f"{CW}logsV2:log-groups$3FlogGroupNameFilter$3D$252Faws$252Flambda$252F"),
    "cloudwatch-log-group": (GROUP, LOG),
    "cloudwatch-log-stream": (
        {**GROUP, "log_stream": "2026/10/01/[$LATEST]abc"},
        f"{LOG}/log-events/2026$252F10$252F01$252F$255B$2524LATEST$255Dabc"),
    "cloudwatch-log-search": (
        {**GROUP, "filter_pattern": "[INFO] a=b", "start_ms": "-3600000"},
        f"{LOG}/log-events$3FfilterPattern$3D$255BINFO$255D$2520a$253Db$26start$3D-3600000"),
    "cloudwatch-logs-insights": (
        {**GROUP, "query": "fields @timestamp\n| limit 20", "start_s": "-3600"}, INSIGHTS),
    "cloudwatch-alarm": ({"alarm": "orders/5xx 高"}, f"{CW}alarmsV2:alarm/orders%2F5xx%20%E9%AB%98"),
    "cloudwatch-alarms": ({}, f"{CW}alarmsV2:"),
    "cloudwatch-dashboard": ({"dashboard": "orders"}, f"{CW}dashboards:name=orders"),
    "lambda-functions": ({}, f"{R}/lambda/home?region={TOKYO}#/functions"),
    "lambda-function": (
        {"function": "my-fn", "tab": "monitoring"}, f"{R}/lambda/home?region={TOKYO}#/functions/my-fn?tab=monitoring"),
    "ecs-clusters": ({}, f"{R}/ecs/v2/clusters?region={TOKYO}"),
    "ecs-cluster": ({"cluster": "pay", "tab": "tasks"}, f"{R}/ecs/v2/clusters/pay/tasks?region={TOKYO}"),
    "ecs-service": (
        {"cluster": "pay", "service_name": "api"}, f"{R}/ecs/v2/clusters/pay/services/api/health?region={TOKYO}"),
    "ecs-task": (
        {"cluster": "pay", "task": TASK, "tab": "logs"}, f"{R}/ecs/v2/clusters/pay/tasks/{TASK}/logs?region={TOKYO}"),
    "ecs-task-definition": (
        {"family": "api", "revision": "42"}, f"{R}/ecs/v2/task-definitions/api/42/containers?region={TOKYO}"),
    "ec2-instances": ({}, f"{R}/ec2/home?region={TOKYO}#Instances:"),
    "ec2-instance": (
        {"instance_id": "i-0123456789abcdef0"},
        f"{R}/ec2/home?region={TOKYO}#InstanceDetails:instanceId=i-0123456789abcdef0"),
    "ec2-volume": (
        {"volume_id": "vol-0123456789abcdef0"},
        f"{R}/ec2/home?region={TOKYO}#VolumeDetails:volumeId=vol-0123456789abcdef0"),
    "ec2-snapshot": (
        {"snapshot_id": "snap-0123456789abcdef0"},
        f"{R}/ec2/home?region={TOKYO}#SnapshotDetails:snapshotId=snap-0123456789abcdef0"),
    "ec2-image": (
        {"image_id": "ami-0123456789abcdef0"},
        f"{R}/ec2/home?region={TOKYO}#ImageDetails:imageId=ami-0123456789abcdef0"),
    "autoscaling-group": (
        {"group": "web"}, f"{R}/ec2autoscaling/home?region={TOKYO}#/details/web?view=details"),
    "batch-job": ({"job_id": UUID}, f"{R}/batch/home?region={TOKYO}#jobs/detail/{UUID}"),
    "eks-clusters": ({}, f"{R}/eks/home?region={TOKYO}#/clusters"),
    "eks-cluster": ({"cluster": "pay"}, f"{R}/eks/home?region={TOKYO}#/clusters/pay"),
    "ecr-repository": (
        {"repository": "pay/api"}, f"{R}/ecr/repositories/private/{ACCOUNT}/pay/api?region={TOKYO}"),
    "s3-buckets": ({}, f"{R}/s3/buckets?region={TOKYO}"),
    "s3-bucket": ({"bucket": "example-logs"}, f"{R}/s3/buckets/example-logs?region={TOKYO}&tab=objects"),
    "s3-prefix": (
        {"bucket": "example-logs", "prefix": "2026/10/"},
        f"{R}/s3/buckets/example-logs?region={TOKYO}&prefix=2026%2F10%2F"),
    "s3-object": (
        {"bucket": "example-logs", "key": "a b/100%+é.csv"},
        f"{R}/s3/object/example-logs?region={TOKYO}&prefix=a%20b%2F100%25%2B%C3%A9.csv"),
    "dynamodb-tables": ({}, f"{R}/dynamodbv2/home?region={TOKYO}#tables"),
    "dynamodb-table": (
        {"table": "orders"}, f"{R}/dynamodbv2/home?region={TOKYO}#table?name=orders&tab=overview"),
    "dynamodb-items": (
        {"table": "orders"}, f"{R}/dynamodbv2/home?region={TOKYO}#item-explorer?maximize=true&table=orders"),
    "rds-databases": ({}, f"{R}/rds/home?region={TOKYO}#databases:"),
    "rds-database": (
        {"database": "orders-1", "is_cluster": "false"},
        f"{R}/rds/home?region={TOKYO}#database:id=orders-1;is-cluster=false"),
    "opensearch-domain": ({"domain": "logs"}, f"{R}/aos/home?region={TOKYO}#opensearch/domains/logs"),
    "glue-job": ({"job": "daily sales"}, f"{R}/gluestudio/home?region={TOKYO}#/editor/job/daily%20sales"),
    "glue-table": (
        {"table": "orders", "database": "sales"},
        f"{R}/glue/home?region={TOKYO}#/v2/data-catalog/tables/view/orders?database=sales&catalogId={ACCOUNT}"),
    "athena-workgroup": (
        {"workgroup": "primary"}, f"{R}/athena/home?region={TOKYO}#/workgroups/details/primary"),
    "sqs-queues": ({}, f"{R}/sqs/v3/home?region={TOKYO}#/queues"),
    "sqs-queue": (
        {"queue": "jobs.fifo"},
        (f"{R}/sqs/v3/home?region={TOKYO}#/queues/"
        f"https%3A%2F%2Fsqs.{TOKYO}.amazonaws.com%2F{ACCOUNT}%2Fjobs.fifo")),
    "sns-topics": ({}, f"{R}/sns/v3/home?region={TOKYO}#/topics"),
    "sns-topic": (
        {"topic": "alerts"}, f"{R}/sns/v3/home?region={TOKYO}#/topic/arn:aws:sns:{TOKYO}:{ACCOUNT}:alerts"),
    "stepfunctions-machines": ({}, f"{R}/states/home?region={TOKYO}#/statemachines"),
    "stepfunctions-machine": (
        {"machine_arn": MACHINE}, f"{R}/states/home?region={TOKYO}#/statemachines/view/{MACHINE}"),
    "stepfunctions-execution": (
        {"execution_arn": EXECUTION}, f"{R}/states/home?region={TOKYO}#/executions/details/{EXECUTION}"),
    "eventbridge-rule": (
        {"event_bus": "default", "rule": "nightly"},
        f"{R}/events/home?region={TOKYO}#/eventbus/default/rules/nightly"),
    "kinesis-stream": (
        {"stream": "clicks"}, f"{R}/kinesis/home?region={TOKYO}#/streams/details/clicks/monitoring"),
    "cloudformation-stacks": ({}, f"{R}/cloudformation/home?region={TOKYO}#/stacks"),
    "cloudformation-stack": (
        {"stack_arn": STACK},
        (f"{R}/cloudformation/home?region={TOKYO}#/stacks/stackinfo?stackId="
        "arn%3Aaws%3Acloudformation%3Aap-northeast-1%3A123456789012%3Astack%2Fnet%2F0a1b2c3d")),
    "codebuild-project": (
        {"project": "api"}, f"{R}/codesuite/codebuild/{ACCOUNT}/projects/api/history?region={TOKYO}"),
    "codepipeline-pipeline": (
        {"pipeline": "api"}, f"{R}/codesuite/codepipeline/pipelines/api/view?region={TOKYO}"),
    "secretsmanager-secrets": ({}, f"{R}/secretsmanager/listsecrets?region={TOKYO}"),
    "secretsmanager-secret": (
        {"secret": "prod/orders+db"}, f"{R}/secretsmanager/secret?name=prod%2Forders%2Bdb&region={TOKYO}"),
    "ssm-parameters": ({}, f"{R}/systems-manager/parameters?region={TOKYO}&tab=Table"),
    "ssm-parameter": (
        {"parameter": "/prod/db"},
        f"{R}/systems-manager/parameters/%2Fprod%2Fdb/description?region={TOKYO}&tab=Table"),
    "ssm-session": (
        {"instance_id": "i-0123456789abcdef0"},
        f"{R}/systems-manager/session-manager/i-0123456789abcdef0?region={TOKYO}"),
    "apigateway-rest": (
        {"api_id": "a1b2c3"}, f"{R}/apigateway/main/apis/a1b2c3/resources?api=a1b2c3&region={TOKYO}"),
    "apigateway-http": (
        {"api_id": "a1b2c3"}, f"{R}/apigateway/main/develop/routes?api=a1b2c3&region={TOKYO}"),
    "vpc-vpcs": ({}, f"{R}/vpcconsole/home?region={TOKYO}#vpcs:"),
    "vpc-vpc": (
        {"vpc_id": "vpc-01234567"}, f"{R}/vpcconsole/home?region={TOKYO}#VpcDetails:VpcId=vpc-01234567"),
    "vpc-subnet": (
        {"subnet_id": "subnet-01234567"},
        f"{R}/vpcconsole/home?region={TOKYO}#SubnetDetails:subnetId=subnet-01234567"),
    "vpc-security-group": (
        {"group_id": "sg-01234567"}, f"{R}/vpcconsole/home?region={TOKYO}#SecurityGroup:groupId=sg-01234567"),
    "cloudfront-distribution": (
        {"distribution": "E1ABC"},
        "https://us-east-1.console.aws.amazon.com/cloudfront/v4/home#/distributions/E1ABC"),
    "route53-zone": (
        {"zone": "Z0ABC"}, "https://console.aws.amazon.com/route53/v2/hostedzones#ListRecordSets/Z0ABC"),
    "iam-roles": ({}, "https://us-east-1.console.aws.amazon.com/iam/home#/roles"),
    "iam-role": (
        {"role": "a+b=c,d@e"},
        "https://us-east-1.console.aws.amazon.com/iam/home#/roles/details/a+b=c,d@e?section=permissions"),
    "kms-key": ({"key_id": UUID}, f"{R}/kms/home?region={TOKYO}#/kms/keys/{UUID}"),
    "cloudtrail-events": ({}, f"{R}/cloudtrailv2/home?region={TOKYO}#/events"),
    "cloudtrail-event": ({"event_id": UUID}, f"{R}/cloudtrailv2/home?region={TOKYO}#/events/{UUID}"),
    "cost-explorer": ({}, "https://us-east-1.console.aws.amazon.com/costmanagement/home#/cost-explorer"),
    "console-home": ({}, f"{R}/console/home?region={TOKYO}"),
}  # fmt: skip


def build(slug: str, values: Mapping[str, str], *, catalogue: Catalogue = CATALOGUE, partition: str = "aws") -> str:
    region = TOKYO if partition == "aws" else HOMES[partition]
    destination = Destination.of(slug, region, values)
    return catalogue.build_url(destination, partition=partition, account_id=ACCOUNT).url


# --- Encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/aws/lambda/my-fn", "$252Faws$252Flambda$252Fmy-fn"),
        ("2026/10/01/[$LATEST]abc", "2026$252F10$252F01$252F$255B$2524LATEST$255Dabc"),
        ("[INFO] a=b", "$255BINFO$255D$2520a$253Db"),
    ],
)
def test_cloudwatch_encodes_twice_with_dollars(value: str, written: str) -> None:
    assert quote_cloudwatch(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [("a b$c_d.e-f", "a*20b!c_d.e-f"), ("é", "*e9"), ("高", "**9ad8"), ("😀", "**d83d**de00")]
)
def test_insights_writes_as_javascript_counts(value: str, written: str) -> None:
    assert quote_jsurl(value) == written


@pytest.mark.parametrize("name", ENCODINGS)
@given(value=st.text())
def test_each_encoding_is_undone(name: str, value: str) -> None:
    encoding = ENCODINGS[name]
    assert encoding.decode(encoding.encode(value)) == value


@given(value=st.text(alphabet="abcXYZ019_.-"))
def test_what_is_inert_looks_the_same_in_every_encoding(value: str) -> None:
    assert {encoding.encode(value) for encoding in ENCODINGS.values()} == {value}


# --- Each place ------------------------------------------------------------------------------------------------------


def test_every_place_has_a_worked_example() -> None:
    assert WORKED.keys() == {service.slug for service in CATALOGUE.services}
    assert len(WORKED) >= 48


@pytest.mark.parametrize("slug", WORKED)
def test_address_is_what_the_console_writes(slug: str) -> None:
    values, url = WORKED[slug]
    assert build(slug, values) == url


@pytest.mark.parametrize("slug", WORKED)
def test_address_is_taken_apart(slug: str) -> None:
    values, url = WORKED[slug]
    taken = CATALOGUE.take_apart(url)
    service = CATALOGUE.find(slug)
    assert service
    region = TOKYO if service.is_regional else ""
    assert (taken.destination, taken.dropped) == (Destination.of(slug, region, values), ())


@pytest.mark.parametrize("service", CATALOGUE.services, ids=lambda service: service.slug)
def test_each_service_is_good_on_its_own(service: Service) -> None:
    assert build(service.slug, service.find_example()).startswith("https://")
    for parameter in service.parameters:
        assert parameter.words.ja
        assert parameter.words.en
    assert not {parameter.name for parameter in service.parameters} - service.template.names


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn", "aws-eusc"])
@pytest.mark.parametrize("slug", WORKED)
def test_other_partitions_have_the_same_places(slug: str, partition: str) -> None:
    values = {name: value.replace(TOKYO, HOMES[partition]) for name, value in WORKED[slug][0].items()}
    url = build(slug, values, partition=partition)
    assert CONSOLE_HOSTS[partition] in url
    assert CATALOGUE.take_apart(url, partition=partition).destination.filled == values


@pytest.mark.parametrize(
    ("partition", "domain", "arn"),
    [("aws-cn", "amazonaws.com.cn", "arn:aws-cn:sns"), ("aws-eusc", "amazonaws.eu", "arn:aws-eusc:sns")],
)
def test_queues_and_topics_are_named_as_their_partition_names_them(partition: str, domain: str, arn: str) -> None:
    assert f".{domain}%2F{ACCOUNT}" in build("sqs-queue", {"queue": "jobs"}, partition=partition)
    assert f"{arn}:{HOMES[partition]}:{ACCOUNT}:t" in build("sns-topic", {"topic": "t"}, partition=partition)


# --- Whatever is filled in -------------------------------------------------------------------------------------------


_ARN_TAIL = st.from_regex(r"[A-Za-z0-9_.:@+=,-]{1,20}", fullmatch=True)
_ARNS = {
    "machine_arn": _ARN_TAIL.map(f"arn:aws:states:{TOKYO}:{ACCOUNT}:stateMachine:{{}}".format),
    "execution_arn": _ARN_TAIL.map(f"arn:aws:states:{TOKYO}:{ACCOUNT}:execution:{{}}".format),
}


def make_values(parameter: Parameter) -> st.SearchStrategy[str]:
    if parameter.name in _ARNS:
        return _ARNS[parameter.name]
    if parameter.type == "choice":
        return st.sampled_from([option.value for option in parameter.options])
    if parameter.type == "lines":
        return st.text(min_size=1, max_size=40).filter(parameter.fits) | st.just("a\n| b 'c' ~(d)")
    if parameter.type == "text" and not parameter.pattern:
        hard = st.sampled_from(["%", "$3F", "?", "&", "=", "#", "/", "+", " ", "'", "~", "%2F", "..", "(", "日本"])
        return st.lists(hard | st.text(max_size=3), min_size=1, max_size=6).map("".join).filter(parameter.fits)
    pattern = parameter.pattern or TYPES[parameter.type].pattern
    return st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii")).filter(parameter.fits)


@pytest.mark.parametrize("service", [s for s in CATALOGUE.services if s.parameters], ids=lambda service: service.slug)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_values_come_back(service: Service, data: st.DataObject) -> None:
    values = {parameter.name: data.draw(make_values(parameter)) for parameter in service.parameters}
    try:
        url = build(service.slug, values)
    except BadDestination as refusal:
        if refusal.code not in ("destination_control", "destination_encoded_twice"):
            raise
        reject()  # a name that holds an escape of a control character as its text
    assert CATALOGUE.take_apart(url).destination == Destination.of(
        service.slug, TOKYO if service.is_regional else "", values
    )


# --- What people paste -----------------------------------------------------------------------------------------------


def take(url: str) -> Taken:
    return CATALOGUE.take_apart(url)


@pytest.mark.parametrize(
    ("url", "slug", "values"),
    [
        # No region in the host, one in the query
        (f"https://console.aws.amazon.com/lambda/home?region={TOKYO}#/functions/my-fn", "lambda-function",
         {"function": "my-fn"}),
        # The label of a session; no region in the query
        (f"https://123456789012-ab12cd34.{TOKYO}.console.aws.amazon.com/s3/buckets/example-logs", "s3-bucket",
         {"bucket": "example-logs"}),
        # Pairs in another order
        (f"{R}/secretsmanager/secret?region={TOKYO}&name=prod%2Fdb", "secretsmanager-secret", {"secret": "prod/db"}),
        # Delimiters and values that were written once or not at all
        (f"{CW}logsV2:log-groups/log-group/$2Faws$2Flambda$2Fmy-fn", "cloudwatch-log-group", GROUP),
        (f"{CW}logsV2:log-groups?logGroupNameFilter=abc", "cloudwatch-log-groups-filtered", {"name_filter": "abc"}),
        (f"{R}/sqs/v3/home?region={TOKYO}#/queues/https://sqs.{TOKYO}.amazonaws.com/{ACCOUNT}/jobs", "sqs-queue",
         {"queue": "jobs"}),
        # A slash at the end, and a parameter that the console encodes twice
        (f"{R}/ecs/v2/clusters/?region={TOKYO}", "ecs-clusters", {}),
        (f"{R}/systems-manager/parameters/%252Fprod%252Fdb/description?region={TOKYO}", "ssm-parameter",
         {"parameter": "/prod/db"}),
        # Addresses that the console has as well
        (f"{CW}dashboards/dashboard/orders", "cloudwatch-dashboard", {"dashboard": "orders"}),
        (f"{R}/states/home?region={TOKYO}#/v2/executions/details/{EXECUTION}", "stepfunctions-execution",
         {"execution_arn": EXECUTION}),
        # Insights as newer consoles write it
        (INSIGHTS.replace("~unit~'seconds", "~tz~'UTC~unit~'seconds").replace("~source~", "~queryId~'a-b~source~")
         .replace("))", ")~lang~'CWLI)"), "cloudwatch-logs-insights",
         {**GROUP, "query": "fields @timestamp\n| limit 20", "start_s": "-3600"}),
        (f"{R}/rds/home?region={TOKYO}#database:id=orders;is-cluster=true", "rds-database",
         {"database": "orders", "is_cluster": "true"}),
    ],
)  # fmt: skip
def test_what_people_paste_is_recognised(url: str, slug: str, values: Mapping[str, str]) -> None:
    assert take(url).destination == Destination.of(slug, TOKYO, values)


def test_account_in_the_address_is_told() -> None:
    assert take(build("ecr-repository", {"repository": "api"})).account_id == ACCOUNT
    assert take(LOG).account_id == ""


def test_what_a_link_would_lose_is_told() -> None:
    taken = take(f"{R}/s3/buckets/example-logs?region={TOKYO}&tab=permissions&bucketType=general")
    assert taken.destination.service == "s3-bucket"
    assert taken.dropped == ("tab=permissions", "bucketType=general")


def test_the_nearest_place_is_meant() -> None:
    url = f"{R}/s3/buckets/example-logs?region={TOKYO}&prefix=a%2F&showversions=false"
    assert take(url).destination == Destination.of("s3-prefix", TOKYO, {"bucket": "example-logs", "prefix": "a/"})
    assert take(f"{LOG}/log-events").destination.service == ""


def test_unknown_place_is_kept_as_it_is() -> None:
    url = f"{R}/appsync/home?region={TOKYO}#/apis"
    assert take(url) == Taken(Destination(region=TOKYO, url=url))
    assert CATALOGUE.build_url(take(url).destination).url == url


def test_region_of_the_query_goes_before_the_host() -> None:
    assert take(f"{R}/ecs/v2/clusters?region=eu-central-1").destination.region == "eu-central-1"


def test_service_without_region_in_the_address_is_kept_as_it_is() -> None:
    assert take("https://console.aws.amazon.com/ecs/v2/clusters").service is None


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/ecs/v2/clusters?region=eu-central-1", "javascript:alert(1)",
     "https://console.aws.amazon.com/%252e%252e%252fx", f"https://{TOKYO}.console.aws.amazon.com.evil.example/s3"],
)  # fmt: skip
def test_hostile_address_is_refused(url: str) -> None:
    with pytest.raises(BadDestination):
        take(url)


@given(st.text(alphabet="/?#&=$%~()'*!ab:.-25F", max_size=60))
def test_no_address_breaks_it(tail: str) -> None:
    try:
        taken = take(f"{R}/{tail}")
    except BadDestination:
        return
    assert CATALOGUE.build_url(taken.destination, account_id=ACCOUNT).url.startswith("https://")


# --- Links -----------------------------------------------------------------------------------------------------------


def test_link_leads_through_the_portal() -> None:
    built = CATALOGUE.build_link(
        "https://example.awsapps.com/start", ACCOUNT, "ReadOnly",
        Destination.of("cloudwatch-log-group", "eu-central-1", GROUP), partition="aws",
    )  # fmt: skip
    assert built.url == (
        "https://example.awsapps.com/start/#/console?account_id=123456789012&role_name=ReadOnly&destination="
        "https%3A%2F%2Feu-central-1.console.aws.amazon.com%2Fcloudwatch%2Fhome%3Fregion%3Deu-central-1%23logsV2%3A"
        "log-groups%2Flog-group%2F%24252Faws%24252Flambda%24252Fmy-fn"
    )


def test_open_parameters_stay_in_braces() -> None:
    destination = Destination.of("cloudwatch-log-stream", TOKYO, {"log_stream": "{x}"})
    built = CATALOGUE.build_link("https://p.awsapps.com/start", ACCOUNT, "X", destination, partition="aws")
    assert built.open_names == ("log_group",)
    assert "log-group%2F{log_group}%2Flog-events%2F%24257Bx%24257D" in built.url


def test_places_that_open_at_once_ask_for_nothing() -> None:
    at_once = [service.slug for service in CATALOGUE.offered if not service.required]
    assert len(at_once) > 15
    for slug in at_once:
        assert CATALOGUE.build_url(Destination.of(slug, TOKYO), account_id=ACCOUNT).open_names == ()


def test_no_service_leaves_it_to_the_set() -> None:
    built = CATALOGUE.build_link("https://p.awsapps.com/start", ACCOUNT, "X", Destination(), partition="aws")
    assert built.url.endswith("&role_name=X")


@pytest.mark.parametrize(
    ("destination", "code"),
    [
        (Destination.of("nothing"), "service_unknown"),
        (Destination.of("ecs-clusters"), "region_missing"),
        (Destination.of("ecs-clusters", "evil.example/"), "region_missing"),
        (Destination.of("ecs-cluster", TOKYO, {"cluster": "a/b"}), "value_wrong"),
        (Destination.of("ecs-cluster", TOKYO, {"cluster": "a", "tab": "x"}), "value_wrong"),
        (Destination.of("cloudwatch-alarm", TOKYO, {"alarm": "a\nb"}), "value_wrong"),
        (Destination(url="https://evil.example/"), "destination_not_console"),
    ],
)
def test_destination_that_cannot_be_is_refused(destination: Destination, code: str) -> None:
    with pytest.raises(BadDestination) as refused:
        CATALOGUE.build_url(destination, account_id=ACCOUNT)
    assert refused.value.code == code
    assert code in SENTENCES


def test_account_is_asked_for_where_the_address_names_it() -> None:
    with pytest.raises(BadDestination, match="account_missing"):
        CATALOGUE.build_url(Destination.of("sqs-queue", TOKYO, {"queue": "jobs"}))


def test_values_of_another_version_are_left_out() -> None:
    destination = Destination.of("ecs-clusters", TOKYO, {"gone": "x"})
    assert CATALOGUE.build_url(destination).url == WORKED["ecs-clusters"][1]


# --- What an admin writes --------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "slug": "appsync-api",
    "service": "AppSync",
    "name": {"ja": "API", "en": "API"},
    "aliases": ["graphql"],
    "template": "/appsync/home?region={region}#/{api}/v1/home",
    "parameters": [{"name": "api", "type": "name", "label": "API id", "example": "abc123"}],
}


def test_service_of_ones_own_is_used_like_the_others() -> None:
    catalogue = CATALOGUE.extended([require_service(GOOD)])
    url = build("appsync-api", {"api": "abc"}, catalogue=catalogue)
    assert url == f"{R}/appsync/home?region={TOKYO}#/abc/v1/home"
    assert catalogue.take_apart(url).destination == Destination.of("appsync-api", TOKYO, {"api": "abc"})


def test_service_of_the_same_name_takes_the_place() -> None:
    changed = require_service({**GOOD, "slug": "ecs-clusters", "is_hidden": True})
    catalogue = CATALOGUE.extended([changed])
    assert catalogue.find("ecs-clusters") == changed
    assert len(catalogue.services) == len(CATALOGUE.services)
    assert changed not in catalogue.offered


def test_shared_parameters_are_named() -> None:
    service = require_service({**GOOD, "template": "/x?g={q:log_group}&region={region}", "parameters": ["log_group"]})
    assert service.parameters[0].words.en == "Log group"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"slug": "Not A Slug"}, "service_slug_wrong"),
        ({"service": ""}, "service_text_missing"),
        ({"name": {"ja": "x"}}, "service_text_missing"),
        ({"name": None}, "service_words_missing"),
        ({"place": "moon"}, "service_place_wrong"),
        ({"template": "https://evil.example/{api}"}, "service_template_wrong"),
        ({"template": "//evil.example/{api}"}, "service_template_wrong"),
        ({"template": "@evil.example/{api}"}, "service_template_wrong"),
        ({"template": "/a b/{api}"}, "service_template_wrong"),
        ({"template": "/\\evil/{api}"}, "service_template_wrong"),
        ({"template": "/x/{api"}, "service_braces_wrong"),
        ({"template": "/x/{api}{region}"}, "service_gaps_touch"),
        ({"template": "/x/{zz:api}"}, "service_encoding_wrong"),
        ({"template": "/x/{other}/{api}"}, "service_gap_unknown"),
        ({"template": "/x"}, "service_parameter_unused"),
        ({"template": "/%252e%252e/{api}"}, "destination_encoded_twice"),
        ({"template": "/x/{api}?a=%0d"}, "destination_control"),
        ({"parameters": "api"}, "service_list_wrong"),
        ({"parameters": ["nothing"]}, "service_parameter_wrong"),
        ({"parameters": [{"name": "set", "label": "x", "example": "x"}]}, "service_parameter_wrong"),
        ({"parameters": [{"name": "region", "label": "x", "example": "x"}]}, "service_parameter_wrong"),
        ({"parameters": GOOD["parameters"] * 2}, "service_parameter_twice"),
        (
            {"parameters": [{"name": f"p{n}", "label": "x", "example": "x"} for n in range(9)]},
            "service_parameters_many",
        ),
        ({"parameters": [{"name": "api", "type": "odd", "label": "x", "example": "x"}]}, "service_type_wrong"),
        ({"parameters": [{"name": "api", "type": "choice", "label": "x", "example": "x"}]}, "service_options_missing"),
        ({"parameters": [{"name": "api", "label": "x", "example": "not a name"}]}, "service_example_wrong"),
        ({"parameters": [{"name": "api", "label": "x"}]}, "service_example_wrong"),
        ({"parameters": [{"name": "api", "label": "x", "example": "x", "pattern": "("}]}, "service_pattern_wrong"),
        ({"parameters": [{"name": "api", "label": "x", "example": "x", "pattern": "(x+)+"}]}, "service_pattern_wrong"),
        ({"parameters": [{"name": "api", "label": "x", "example": "x", "type": "lines"}]}, "service_lines_wrong"),
    ],
)
def test_service_that_cannot_be_used_is_refused(change: Mapping[str, Any], code: str) -> None:
    with pytest.raises(BadService) as refused:
        require_service({**GOOD, **change})
    assert refused.value.code == code
    assert code in SENTENCES


def test_service_whose_example_would_not_come_back_is_refused() -> None:
    parameters = [{"name": name, "label": "x", "example": "x-y"} for name in ("one", "other")]
    with pytest.raises(BadService, match="service_not_recognised"):
        require_service({**GOOD, "template": "/x#{one}-{other}", "parameters": parameters})


# --- Regions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partition", HOMES)
def test_regions_are_regions_of_their_partition(partition: str) -> None:
    codes = [region.code for region in list_regions(partition)]
    assert all(is_region(code) for code in codes)
    assert HOMES[partition] in codes
    assert len(codes) == len(set(codes))


def test_regions_have_names_in_both_languages() -> None:
    words = find_words(TOKYO)
    assert words
    assert (words.of("ja"), words.of("en")) == ("東京", "Tokyo")
    assert find_words("xx-nowhere-9") is None


@pytest.mark.parametrize("text", ["", "tokyo", "ap-northeast-1 ", "AP-NORTHEAST-1", "a.b-c-1", "ap-northeast-1/x"])
def test_what_is_no_region_is_none(text: str) -> None:
    assert not is_region(text)
