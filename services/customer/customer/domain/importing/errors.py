"""What importing refuses, and why."""

from __future__ import annotations

from kernel.pure.errors import Aborted, Forbidden, NotFound, Precondition, Violation


class UploadNotFound(NotFound):
    reason = "UPLOAD_NOT_FOUND"
    en = "You have no uploaded file {id}."
    zh = "您没有上传过文件 {id}。"


class UploadOffset(Precondition):
    reason = "UPLOAD_OFFSET"
    en = "The next chunk must begin at byte {received}."
    zh = "下一个分块必须从第 {received} 字节开始。"


class UploadIncomplete(Precondition):
    reason = "UPLOAD_INCOMPLETE"
    en = "Only {received} of {size} bytes have been uploaded."
    zh = "文件只上传了 {received} 字节，共 {size} 字节。"


class UploadNotReady(Precondition):
    reason = "UPLOAD_NOT_READY"
    en = "The uploaded file is being read; try again in a moment."
    zh = "正在读取上传的文件，请稍后重试。"

    def __init__(self) -> None:
        super().__init__()
        self.retry_after = 1.0


class UploadExpired(Precondition):
    reason = "UPLOAD_EXPIRED"
    en = "The uploaded file has been destroyed; upload it again."
    zh = "上传的文件已被销毁，请重新上传。"


class _BadFile(Precondition):
    """The uploaded file breaks a rule, which is named beside the field that names the file."""

    rule = ""

    def __init__(self, **metadata: object) -> None:
        super().__init__(**metadata)
        self.violations = (Violation("upload_id", self.rule, self.message("en"), self.message("zh")),)


class FileUnreadable(_BadFile):
    rule = "FORMAT"
    reason = "FILE_UNREADABLE"
    en = "The file can't be read: it must be CSV in UTF-8, UTF-16 or GB18030, or an Excel workbook (xlsx)."
    zh = "无法读取文件：必须是 UTF-8、UTF-16 或 GB18030 编码的 CSV，或 Excel 工作簿（xlsx）。"


class FileTooLarge(_BadFile):
    rule = "UNPACKED_SIZE"
    reason = "FILE_TOO_LARGE"
    en = "The workbook unpacks to more than can be read at once; save it as CSV."
    zh = "工作簿解压后过大，请另存为 CSV。"


class FileTooWide(_BadFile):
    rule = "COLUMNS"
    reason = "FILE_TOO_WIDE"
    en = "The file has more than {most} columns."
    zh = "文件超过 {most} 列。"


class HeaderTooLong(_BadFile):
    rule = "LINE_LENGTH"
    reason = "FILE_HEADER_TOO_LONG"
    en = "The first line has {most} characters or more; is this a CSV file with one row a line?"
    zh = "第一行达到或超过 {most} 个字符，请确认文件是每行一条记录的 CSV。"


class FileEmpty(_BadFile):
    rule = "HEADER"
    reason = "FILE_EMPTY"
    en = "The file has no header."
    zh = "文件没有表头。"


class ImportNotFound(NotFound):
    reason = "IMPORT_NOT_FOUND"
    en = "You have no import {id}."
    zh = "您没有导入任务 {id}。"


class ImportState(Precondition):
    reason = "IMPORT_STATE"
    en = "The import is {state}; this can't be done with it now."
    zh = "导入任务的状态为 {state}，当前不能执行此操作。"


class ImportSuperseded(Aborted):
    """Another process goes on with this import."""

    reason = "IMPORT_SUPERSEDED"
    en = "The import goes on elsewhere."
    zh = "导入任务正在其他进程中继续。"


class ImportForbidden(Forbidden):
    """Right and reach are looked at anew before each step."""

    reason = "IMPORT_FORBIDDEN"
    en = "Whoever started the import may not import for this owner any more; what was stored stays."
    zh = "发起导入的用户已无权为该负责人导入，已保存的数据保留。"


class ImportFault(Precondition):
    reason = "IMPORT_FAULT"
    en = "The import stopped at an internal fault; what was stored stays."
    zh = "导入因内部故障停止，已保存的数据保留。"


# Why a file that has arrived is not read.
UNREADABLE: dict[str, type[Precondition]] = {
    error.reason: error
    for error in (UploadExpired, FileUnreadable, FileTooLarge, FileTooWide, HeaderTooLong, FileEmpty)
}

# Why an import may end before the end of its file.
ENDINGS = {
    error.reason: error
    for error in (UploadExpired, FileUnreadable, FileTooLarge, FileEmpty, ImportForbidden, ImportFault)
}
