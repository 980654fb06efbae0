"""Writes to several apps of one kintone at once."""

from collections.abc import Sequence
from typing import Any

from syncer.gateways.errors import GatewayError
from syncer.gateways.kintone_bulk import BulkFailure, BulkRequest, Part, cut_into_chunks
from syncer.gateways.kintone_errors import not_kintone
from syncer.gateways.kintone_transport import KintoneClient
from syncer.gateways.kintone_values import Written


class KintoneDomain(KintoneClient):
    """One kintone, with the tokens of all apps that are written or looked up from."""

    TIMEOUT = (3, 120)  # 2,000 rows in one transaction take their time, and to give up early is not to know

    def bulk_write(self, requests: Sequence[BulkRequest[Any]]) -> list[list[Written]]:
        """Carry out the requests in their order; what came of the rows of each, nothing for deletions.

        2,000 rows at a time are written all or not at all, and no quota counts them. Raises BulkFailure at the first
        chunk that fails; what was written before it stays.
        """
        done: list[list[Written]] = [[] for _request in requests]
        rows_done = [0] * len(requests)
        for chunk in cut_into_chunks(requests):
            try:
                written = self._write_chunk(chunk)
            except GatewayError as error:
                raise BulkFailure(error, done, tuple(rows_done), chunk) from error
            for part, rows in zip(chunk, written, strict=True):
                done[part.request_index] += rows
                rows_done[part.request_index] += len(part.request.rows)
        return done

    def _write_chunk(self, chunk: Sequence[Part]) -> list[list[Written]]:
        body = {"requests": [part.render(self._api_path) for part in chunk]}
        apps = ",".join(dict.fromkeys(part.request.app_id for part in chunk))
        answer = self._write("POST", "bulkRequest.json", body, app_id=apps)
        results = answer.member("results", list[Any])
        if len(results) != len(chunk):
            raise not_kintone(answer.question, f"{len(results)} results for {len(chunk)} requests")
        return [part.request.read(answer.within(result)) for part, result in zip(chunk, results, strict=True)]
