"""The steps of the tour that show the archive: finding, importing, duplicates, and who sees what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from uuid import UUID

from crm.customer.v1.customer_pb2 import Customer
from crm.customer.v1.duplicate_service_pb2 import ScanState
from crm.customer.v1.import_service_pb2 import Import
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm_cli.client import Session, wait_until
from crm_cli.tour import febrl, finding, importing, merging, seeing
from crm_cli.tour.accounts import Branch
from crm_cli.tour.febrl import Row
from crm_cli.tour.importing import Importer
from crm_cli.tour.report import Report, none_of

# How sure the system has to be about who is the same, with the id number in the file.
PRECISION, RECALL = 0.995, 0.99
# Seconds until each service has heard of new staff.
_KNOWN_WITHIN = 60.0
_SAMPLES = 4


class ArchiveSteps:
    """What a team does: its manager imports a file for a seller, finds and merges; each sees their own."""

    def __init__(self, report: Report, admin: Session, branch: Branch, run: UUID) -> None:
        self._report = report
        self._admin = admin
        self._manager = branch.manager.session()
        self._seller = branch.seller.session()
        self._colleague = branch.colleague.session()
        self._run = run
        self._rows = febrl.read()
        self._found: dict[str, str] = {}

    def run(self, somebody_else: str, others_phone: str) -> None:
        """All of them; `somebody_else` is the id of a customer of nobody in the team, with a phone."""
        self._find()
        if self._report.failed():
            return
        self._import()
        if self._report.failed():
            return
        self._scan()
        self._duplicates()
        self._unmerge()
        self._sight(somebody_else, others_phone)

    def _find(self) -> None:
        questions = len(finding.questions())
        with self._report.step("customers are found", questions) as step:
            self._found = finding.record(self._colleague, self._run)
            wrong = list(finding.differences(self._colleague, self._found, step.tick))
            step.result(questions, "each as it must be", none_of(wrong, "each as it must be"))

    def _import(self) -> None:
        # A header of its own: what an earlier run mapped is no help.
        remark = f"导出 {self._run.hex[:12]}"
        importer = Importer(self._manager, self._seller_id(), self._run)
        content = febrl.as_export(self._rows, remark)
        upload_id = self._upload(importer, content)
        started = None if self._report.failed() else self._trial(importer, upload_id, remark)
        if started is None or self._report.failed():
            return
        self._rest(importer, started)
        self._import_again(importer, remark)

    def _upload(self, importer: Importer, content: bytes) -> str:
        """The id of the file."""
        upload_id = ""
        with self._report.step("a file in pieces, its mapping", len(content)) as step:
            upload_id = importer.upload("febrl1", content, step.tick)
            to_correct = ", ".join(febrl.TO_CORRECT)
            expected = f"{febrl.ENCODING}; missing: person.full_name; to correct: {to_correct}"
            step.result(len(content), expected, importing.told_of(importer.suggestion(upload_id)))
        return upload_id

    def _trial(self, importer: Importer, upload_id: str, remark: str) -> Import | None:
        """The import that waits for a word."""
        started = None
        with self._report.step("trial of 100 rows", importing.TRIAL_ROWS) as step:
            started = importer.start("febrl1", upload_id, importing.mapping(remark))
            told = importing.counts(started, importing.TRIAL_DONE)
            rows = list(importer.report(started))
            if not importing.is_saved(importer.suggestion(upload_id)):
                told = "the mapping was not saved"
            elif len(importing.merged(rows)) != started.rows_merged:
                told = f"{len(importing.merged(rows))} merged rows in the report, not {started.rows_merged}"
            elif not started.rows_unchanged and self._beyond_trial():
                told = "more rows were stored than were tried"
            step.result(started.rows_read, {"read": 100, "stored": 100, "refused": 0}, told)
        return started

    def _beyond_trial(self) -> list[str]:
        """Who is found by the phone of a row after the trial."""
        row = next(row for row in self._rows[importing.TRIAL_ROWS :] if row.phones)
        return finding.search(self._seller, row.phones[0])

    def _rest(self, importer: Importer, started: Import) -> None:
        wrong = [line for line, row in enumerate(self._rows, 2) if not febrl.has_real_birthday(row)]
        stored = febrl.RECORDS - len(wrong)
        done = started
        with self._report.step("the rest of the file", febrl.RECORDS) as step:
            done = importer.confirm("febrl1", started)
            expected = {"read": febrl.RECORDS, "stored": stored, "refused": len(wrong)}
            step.result(done.rows_read, expected, importing.counts(done, importing.DONE))
        with self._report.step("report of rows", len(wrong)) as step:
            rows = list(importer.report(done))
            refused = "; ".join(importing.refusals(rows))
            if len(importing.merged(rows)) != done.rows_merged:
                refused += f"; merged: {len(importing.merged(rows))}, not {done.rows_merged}"
            expected_lines = (f"{line} {febrl.BORN} DATE_FORMAT" for line in wrong)
            step.result(len(rows), "; ".join(expected_lines), refused)

    def _import_again(self, importer: Importer, remark: str) -> None:
        everybody = {"read": febrl.RECORDS, "stored": febrl.RECORDS, "refused": 0}
        with self._report.step("the file with its rows corrected", febrl.RECORDS) as step:
            corrected = febrl.as_export(map(febrl.corrected, self._rows), remark)
            done = importer.all_of("corrected", corrected, remark)
            step.result(done.rows_read, everybody, importing.counts(done, importing.DONE))
        with self._report.step("the same file again", febrl.RECORDS) as step:
            done = importer.all_of("again", corrected, remark)
            told = importing.counts(done, importing.DONE)
            if done.rows_unchanged != done.rows_read:
                told = f"{done.rows_created} created, {done.rows_merged} merged"
            step.result(done.rows_read, everybody, told)

    def _scan(self) -> None:
        with self._report.step("scan for duplicates", 0) as step:
            done = merging.scan(self._manager, self._run)
            told = {"not seen": done.customers_total - done.customers_seen}
            told["sure and not merged"] = merging.sure_pairs(self._manager)
            right = {"not seen": 0, "sure and not merged": 0}
            well = done.state == ScanState.SCAN_STATE_DONE
            step.result(done.customers_seen, right, told if well else ScanState.Name(done.state))

    def _duplicates(self) -> None:
        with self._report.step("duplicates against the truth", febrl.TRUE_PAIRS) as step:
            groups = self._groups()
            verdict = febrl.judge(groups)
            complete = sum(map(len, groups)) == febrl.RECORDS and verdict.true == febrl.TRUE_PAIRS
            step.result(
                verdict.found,
                f"precision {PRECISION}, recall {RECALL} of {febrl.TRUE_PAIRS} pairs",
                str(verdict),
                ok=complete and verdict.precision >= PRECISION and verdict.recall >= RECALL,
            )

    def _groups(self) -> list[list[str]]:
        """Records that the system knows as one, as its seller sees them."""
        seen = seeing.look(self._seller).customers.values()
        return [numbers for customer in seen if (numbers := merging.record_numbers(customer))]

    def _unmerge(self) -> None:
        with self._report.step("un-merged and merged again", merging.CHECKS) as step:
            one, other = merging.sample(self._rows, self._groups())
            cycle = merging.Cycle(self._manager, self._seller, one, other, self._run)
            wrong = list(cycle.differences(step.tick))
            step.result(merging.CHECKS, "nothing lost", none_of(wrong, "nothing lost"))

    def _sight(self, somebody_else: str, others_phone: str) -> None:
        with self._report.step("who sees what", 0) as step:
            checked = list(self._sights(somebody_else, others_phone))
            wrong = [f"not so: {name}" for name, holds in checked if not holds]
            step.result(len(checked), "each their share", none_of(wrong, "each their share"))

    def _sights(self, somebody_else: str, others_phone: str) -> Iterator[tuple[str, bool]]:
        of_colleague = set(self._found.values())
        seller = seeing.look(self._seller)
        records = [n for one in seller.customers.values() for n in merging.record_numbers(one)]
        yield (
            "a seller lists the file and nothing else",
            (len(records) == febrl.RECORDS and all(map(merging.record_numbers, seller.customers.values()))),
        )
        colleague = seeing.look(self._colleague)
        yield "another lists their own and nothing else", colleague.ids == of_colleague
        manager = wait_until(partial(self._seen_by_manager, seller.ids | of_colleague), _KNOWN_WITHIN)
        yield "a manager lists the team's and nothing else", manager.ids == seller.ids | of_colleague
        everybody = seeing.look(self._admin)
        yield "an administrator lists everybody", everybody.ids > manager.ids | {somebody_else}
        phones = self._phones(seller.customers.values())
        single = {one: sorted(numbers)[0] for one, numbers in phones.items()}
        single |= {self._found["anna"]: finding.PHONES["anna"], somebody_else: others_phone}
        for who, sight in (
            ("seller", seller), ("colleague", colleague), ("manager", manager), ("administrator", everybody)
        ):  # fmt: skip
            for name, holds in seeing.agreement(sight, single):
                yield f"{who}: {name}", holds
        yield "a seller sees phones in clear", seeing.in_clear(seller, phones)
        yield "a manager sees them masked", seeing.hidden(manager, phones) and seeing.nobody_in_clear(manager)
        masked = seeing.hidden(everybody, phones) and seeing.nobody_in_clear(everybody)
        yield "an administrator sees them masked", masked
        inside, known = next(iter(phones.items()))
        yield from seeing.revealing(self._manager, self._seller, inside, somebody_else, known)

    def _seen_by_manager(self, expected: set[str]) -> seeing.Sight | None:
        """What the manager sees, once that is the whole team's."""
        sight = seeing.look(self._manager)
        return sight if sight.ids >= expected else None

    def _phones(self, customers: Iterable[Customer]) -> dict[str, set[str]]:
        """The first few customers of the file made of two records, with all phones that the file tells of
        them. Phones of a house are left out: they find two people.
        """
        told: dict[str, Row] = {row.number: row for row in self._rows}
        found: dict[str, set[str]] = {}
        for customer in sorted(customers, key=lambda one: one.id):
            rows: Sequence[Row] = [told[number] for number in merging.record_numbers(customer)]
            phones = {febrl.e164(phone) for row in rows for phone in row.phones}
            if len(rows) == 2 and phones and not any(phone.startswith("+8621") for phone in phones):
                found[customer.id] = phones
            if len(found) == _SAMPLES:
                break
        return found

    def _seller_id(self) -> str:
        me: str = self._seller.call(self._seller.auth.GetSelf, GetSelfRequest()).id
        return me
