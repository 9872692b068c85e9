"""What exporting refuses, and why."""

from __future__ import annotations

from kernel.pure.errors import Aborted, Forbidden, NotFound, Precondition


class ExportNotFound(NotFound):
    reason = "EXPORT_NOT_FOUND"
    en = "There is no export {id} that you may see."
    zh = "没有您可以查看的导出任务 {id}。"


class ExportState(Precondition):
    reason = "EXPORT_STATE"
    en = "The export is {state}; this can't be done with it now."
    zh = "导出任务的状态为 {state}，当前不能执行此操作。"


class OwnExport(Forbidden):
    """Four eyes: whoever asks for many customers is not who lets them go."""

    reason = "OWN_EXPORT"
    en = "Somebody else must decide on your export."
    zh = "您的导出任务必须由其他人审批。"


class ExportExpired(Precondition):
    reason = "EXPORT_EXPIRED"
    en = "The exported file has been destroyed; export again."
    zh = "导出的文件已被销毁，请重新导出。"


class ExportSuperseded(Aborted):
    """Another process goes on with this export."""

    reason = "EXPORT_SUPERSEDED"
    en = "The export goes on elsewhere."
    zh = "导出任务正在其他进程中继续。"


class ExportForbidden(Forbidden):
    reason = "EXPORT_FORBIDDEN"
    en = "Whoever started the export may not export this any more."
    zh = "发起导出的用户已无权导出这些数据。"


class ExportTooLarge(Precondition):
    reason = "EXPORT_TOO_LARGE"
    en = "A workbook can't hold so much; export as CSV."
    zh = "工作簿无法容纳这么多数据，请导出为 CSV。"


class ExportFault(Precondition):
    reason = "EXPORT_FAULT"
    en = "The export stopped at an internal fault; nothing can be downloaded."
    zh = "导出因内部故障停止，没有可下载的文件。"


# Why an export may end without a file.
ENDINGS = {error.reason: error for error in (ExportForbidden, ExportTooLarge, ExportExpired, ExportFault)}
