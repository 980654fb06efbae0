"""The port of the simulated AWS: tells services apart, checks credentials, rates and parameters, and answers."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel, ServiceModel, StructureShape

from simulators.aws import query, scim
from simulators.aws.calls import Answer, BadToken, Call
from simulators.aws.entities import AccessKey
from simulators.aws.errors import AwsError
from simulators.aws.faults import Fault
from simulators.aws.services import access_analyzer, iam, identity_store, organizations, sso_admin, sts
from simulators.aws.shapes import check_input, service_model
from simulators.aws.world import AwsWorld
from simulators.serving import Hangup, Request, Response

Handler = Callable[[Call], Answer]

_SERVICES: dict[str, Mapping[str, Handler]] = {
    "organizations": organizations.OPERATIONS,
    "identitystore": identity_store.OPERATIONS,
    "sso-admin": sso_admin.OPERATIONS,
    "sts": sts.OPERATIONS,
    "iam": iam.OPERATIONS,
    "accessanalyzer": access_analyzer.OPERATIONS,
}
_QUERY_SERVICES = {"sts", "iam"}
# Services that name their operation by the path of the request.
_PATHS = {("access-analyzer", "/policy/validation"): ("accessanalyzer", "ValidatePolicy")}
_REST_SERVICES = {service for service, _operation in _PATHS.values()}
_READS = ("Describe", "Get", "Is", "List", "Validate")
_SIGNATURE = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/\d{8}/([^/,]+)/([^/,]+)/aws4_request, ?SignedHeaders=.+")


@dataclass(frozen=True)
class _Signature:
    """Who signed, and for which region and service. Whether the signature itself is right is not checked."""

    access_key_id: str
    region: str
    service: str


@dataclass(frozen=True)
class _Target:
    """The operation a request wants, in its service's protocol."""

    service: str
    operation: str

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def speaks_query(self) -> bool:
        return self.service in _QUERY_SERVICES

    @property
    def speaks_rest(self) -> bool:
        return self.service in _REST_SERVICES

    @property
    def service_model(self) -> ServiceModel:
        return service_model(self.service)

    @property
    def model(self) -> OperationModel:
        return self.service_model.operation_model(self.operation)


class AwsSimulator:
    """An application for `simulators.serving.Serving`: all services of one world at one port."""

    def __init__(self, world: AwsWorld) -> None:
        self._world, self._counting = world, threading.Lock()

    def __call__(self, request: Request) -> Response:
        if request.path.startswith("/scim/"):
            return scim.answer(self._world, request)
        signature = _signature(request)
        target = _target(request, signature)
        if target is None:
            return Response.json({"__type": "UnknownOperationException"}, 404)
        try:
            answer = self._answer(request, signature, target)
        except BadToken:
            return _error_response(target, _bad_token_error(target.service))
        except AwsError as error:
            return _error_response(target, error)
        return _answer_response(target, answer)

    def _answer(self, request: Request, signature: _Signature | None, target: _Target) -> Answer:
        caller = self._authenticate(request, signature, target)
        with self._counting:
            self._world.calls[target.name] += 1
        self._throttle(target, caller)
        handler = _SERVICES[target.service].get(target.operation)
        if handler is None:
            raise AwsError(
                "InvalidAction" if target.speaks_query else "UnknownOperationException",
                f"The simulator does not know {target.name}",
            )
        parameters = _parameters(request, target)
        faults = self._world.faults.of_call(target.name, parameters)
        self._strike_before(faults)
        check_input(target.model, parameters)
        region = signature.region if signature else ""
        call = Call(self._world, caller, target.service, target.operation, region, parameters)
        reads = target.operation.startswith(_READS)
        with self._world.transaction() if reads else self._world.change():
            answer = handler(call)
        if any(fault.hang_up == "after" for fault in faults):
            raise Hangup
        return answer

    def _authenticate(self, request: Request, signature: _Signature | None, target: _Target) -> AccessKey:
        if signature is None:
            code = "MissingAuthenticationToken" if target.speaks_query else "MissingAuthenticationTokenException"
            raise AwsError(code, "Missing Authentication Token", 403)
        key = self._world.access_keys.get(signature.access_key_id)
        if key is None or key.token != request.headers.get("x-amz-security-token"):
            code = "InvalidClientTokenId" if target.speaks_query else "UnrecognizedClientException"
            raise AwsError(code, "The security token included in the request is invalid.", 403)
        if key.expires is not None and key.expires <= self._world.now():
            code = "ExpiredToken" if target.speaks_query else "ExpiredTokenException"
            raise AwsError(code, "The security token included in the request is expired", 403)
        if signature.service != target.service_model.signing_name:
            raise AwsError("InvalidSignatureException", f"Credential should be scoped to {target.service}.", 403)
        return key

    def _throttle(self, target: _Target, caller: AccessKey) -> None:
        if self._world.throttle.admits(target.service, target.operation, caller.account_id):
            return
        with self._counting:
            self._world.throttled[target.name] += 1
        if target.service == "organizations":
            message = "AWS Organizations can't complete your request because too many were made."
            raise AwsError("TooManyRequestsException", message, Type="RATE_LIMIT")
        retry = {"RetryAfterSeconds": 1} if target.service == "identitystore" else {}
        raise AwsError("ThrottlingException", "Rate exceeded", **retry)

    def _strike_before(self, faults: list[Fault]) -> None:
        for fault in faults:
            if fault.hang:
                self._world.faults.wait_for_clear()
                raise Hangup
            time.sleep(fault.latency)
            if fault.hang_up == "before":
                raise Hangup
            if fault.code:
                raise AwsError(fault.code, fault.message, fault.status)


def _signature(request: Request) -> _Signature | None:
    found = _SIGNATURE.fullmatch(request.headers.get("authorization", ""))
    return _Signature(*found.groups()) if found else None


def _target(request: Request, signature: _Signature | None) -> _Target | None:
    """JSON services name their operation in a header, REST services by the path; for Query services the signature tells
    which one is meant.
    """
    if request.method != "POST":
        return None
    if found := _PATHS.get((signature.service if signature else "", request.path)):
        return _Target(*found)
    prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
    for service in _SERVICES.keys() - _QUERY_SERVICES - _REST_SERVICES:
        if service_model(service).metadata["targetPrefix"] == prefix:
            return _Target(service, operation)
    action = request.form().get("Action", "") if not prefix else ""
    if not action:
        return None
    return _Target("iam" if signature and signature.service == "iam" else "sts", action)


def _parameters(request: Request, target: _Target) -> dict[str, Any]:
    if target.speaks_query:
        return query.parse(target.model.input_shape, request.form())
    try:
        parameters = json.loads(request.body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", "The body is no JSON") from error
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "The body is no JSON object")
    if target.speaks_rest:
        parameters |= _read_query(request, target)
    return {name: value for name, value in parameters.items() if value is not None}


def _read_query(request: Request, target: _Target) -> dict[str, Any]:
    """The members that a REST service has in the query of its address."""
    shape = target.model.input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    names = [name for name in members if name in request.query]
    values = {name: request.first(name) for name in names}
    return {
        name: int(value) if members[name].type_name == "integer" and value.isdigit() else value
        for name, value in values.items()
    }


def _bad_token_error(service: str) -> AwsError:
    if service == "organizations":
        return AwsError("InvalidInputException", "The token is not valid", Reason="INVALID_NEXT_TOKEN")
    if service in _QUERY_SERVICES:
        return AwsError("ValidationError", "Invalid Marker")
    return AwsError("ValidationException", "The pagination token is not valid")


def _answer_response(target: _Target, answer: Answer) -> Response:
    request_id = str(uuid.uuid4())
    if target.speaks_query:
        return _xml_response(query.render(target.model, answer, request_id), 200, request_id)
    return _json_response(answer, 200, request_id)


def _error_response(target: _Target, error: AwsError) -> Response:
    request_id = str(uuid.uuid4())
    if target.speaks_query:
        return _xml_response(query.render_error(target.service_model, error, request_id), error.status, request_id)
    if target.speaks_rest:
        return _rest_error(target, error, request_id)
    body = {"__type": error.code, "Message": error.message, **error.members}
    return _json_response(body, error.status, request_id)


def _rest_error(target: _Target, error: AwsError, request_id: str) -> Response:
    """REST services tell the kind of an error by a header and by the status of its own."""
    shapes = {shape.name: shape for shape in target.model.error_shapes}
    shape = shapes.get(error.code)
    status = int(shape.metadata["error"]["httpStatusCode"]) if shape else error.status
    retry = (("Retry-After", "1"),) if status == 429 else ()
    headers = (("Content-Type", "application/json"), ("x-amzn-RequestId", request_id), *retry)
    body = {"message": error.message, **error.members}
    return Response(status, json.dumps(body).encode(), (*headers, ("x-amzn-ErrorType", error.code)))


def _json_response(value: Answer, status: int, request_id: str) -> Response:
    headers = (("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", request_id))
    return Response(status, json.dumps(value).encode(), headers)


def _xml_response(text: str, status: int, request_id: str) -> Response:
    return Response(status, text.encode(), (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)))
