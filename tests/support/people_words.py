"""The words of which `people.py` makes people: weighted names with pinyin, places, streets.

Written down by hand and not taken from the libraries that the matcher uses, so that a mistake of
theirs shows in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A surname or a character of a given name. `pinyin` has its tone; `traditional` may equal `text`."""

    text: str
    pinyin: str
    traditional: str
    weight: int


# character, pinyin, traditional form where it differs, weight (people in 10,000) where it matters.
_SURNAMES = """
王wáng710 李lǐ700 张zhāng張650 刘liú劉520 陈chén陳450 杨yáng楊300 黄huáng黃220 赵zhào趙210 吴wú吳200
周zhōu190 徐xú140 孙sūn孫140 马mǎ馬130 朱zhū120 胡hú110 郭guō110 何hé110 林lín110 罗luó羅90 高gāo90
郑zhèng鄭85 梁liáng80 谢xiè謝70 宋sòng70 唐táng65 许xǔ許60 韩hán韓60 邓dèng鄧58 冯féng馮55 曹cáo55 彭péng50
曾zēng50 肖xiāo48 田tián45 董dǒng45 潘pān42 袁yuán42 蔡cài42 蒋jiǎng蔣40 余yú40 于yú40 杜dù40 叶yè葉38
程chéng38 魏wèi36 苏sū蘇36 吕lǚ呂35 丁dīng35 任rén33 卢lú盧33 姚yáo32 沈shěn32 钟zhōng鐘30 姜jiāng30 崔cuī30
谭tán譚28 陆lù陸28 范fàn範26 汪wāng26 廖liào25 石shí25 金jīn25 韦wéi韋22 贾jiǎ賈22 夏xià22 付fù20 方fāng20
邹zōu鄒20 熊xióng20 白bái18 孟mèng18 秦qín18 邱qiū17 侯hóu17 江jiāng16 尹yǐn15 薛xuē15 闫yán閆14 段duàn14
雷léi13 龙lóng龍12 黎lí12 史shǐ12 陶táo12 贺hè賀11 毛máo11 郝hǎo10 顾gù顧10 龚gōng龔10 邵shào10 万wàn萬10
严yán嚴9 覃qín9 武wǔ9 钱qián錢9 戴dài9 孔kǒng8 汤tāng湯8 常cháng7 温wēn溫7 康kāng7 施shī7 牛niú6 樊fán6
葛gě6 邢xíng6 齐qí齊5 易yì5 庄zhuāng莊5 章zhāng5 鲁lǔ魯5 俞yú5 翟zhái5 柳liǔ4 申shēn4 傅fù4 聂niè聶4
单shàn單3 解xiè3 仇qiú3 查zhā3 区ōu區3 盖gě蓋2 欧阳ōuyáng歐陽10 上官shàngguān2 司马sīmǎ司馬2 诸葛zhūgě諸葛2
司徒sītú2 夏侯xiàhóu1 皇甫huángfǔ1 尉迟yùchí尉遲1 慕容mùróng1 令狐línghú1 仝tóng1 佘shé1 逄páng1 亓qí1
禤xuān1 缪miào繆2 麦mài麥3 冼xiǎn冼2 乜niè1 揭jiē1
"""

_GIVEN = """
伟wěi偉 芳fāng 娜nà 敏mǐn 静jìng靜 丽lì麗 强qiáng強 磊lěi 军jūn軍 洋yáng 勇yǒng 艳yàn艷 杰jié傑 娟juān
涛tāo濤 明míng 超chāo 霞xiá 平píng 刚gāng剛 秀xiù 英yīng 兰lán蘭 桂guì 华huá華 红hóng紅 玉yù 梅méi 建jiàn
国guó國 文wén 辉huī輝 力lì 婷tíng 鹏péng鵬 雪xuě 慧huì 莉lì 鑫xīn 波bō 斌bīn 俊jùn 凯kǎi凱 浩hào 宇yǔ 然rán
子zǐ 涵hán 轩xuān軒 欣xīn 怡yí 梓zǐ 雨yǔ 桐tóng 诗shī詩 琪qí 佳jiā 晨chén 思sī 梦mèng夢 瑶yáo瑤 博bó 睿ruì
泽zé澤 一yī 诺nuò諾 依yī 萱xuān 嘉jiā 乐lè樂 天tiān 翔xiáng 志zhì 新xīn 春chūn 海hǎi 燕yàn 云yún雲 龙lóng龍
飞fēi飛 晓xiǎo曉 东dōng東 永yǒng 庆qìng慶 福fú 德dé 生shēng 成chéng 光guāng 宏hóng 峰fēng 林lín 荣róng榮
珍zhēn 凤fèng鳳 淑shū 月yuè 琴qín 萍píng 玲líng 颖yǐng穎 倩qiàn 琳lín 晶jīng 蕾lěi 薇wēi 璐lù 悦yuè悅 彤tóng
少shǎo 振zhèn 世shì 家jiā 正zhèng 清qīng 立lì 树shù樹 金jīn 宝bǎo寶 连lián連 培péi 利lì 昊hào 皓hào 炜wěi煒
玮wěi瑋 莹yíng瑩 盈yíng 菁jīng 婧jìng 珊shān 姗shān姍 蓉róng 芬fēn 洁jié潔 捷jié 健jiàn 剑jiàn劍 锋fēng鋒
宁níng寧 妍yán 岩yán 严yán嚴 瑞ruì 锐ruì銳 若ruò 溪xī 熙xī 汐xī 可kě 馨xīn 昕xīn 辰chén 宸chén 沐mù 阳yáng陽
旭xù 哲zhé 航háng 瀚hàn 骏jùn駿 豪háo 毅yì 逸yì 艺yì藝 亦yì 奕yì 诚chéng誠 承chéng 程chéng 远yuǎn遠 源yuán
媛yuán 圆yuán圓 钰yù鈺 裕yù 煜yù 育yù 小xiǎo 笑xiào 晴qíng 青qīng 卿qīng 星xīng 兴xìng興 彬bīn 冰bīng 兵bīng
苗miáo 淼miǎo 楠nán 南nán 男nán 朝cháo 安ān 康kāng 学xué學 贤xián賢 先xiān 仙xiān 香xiāng 祥xiáng
"""

# What parents chose, the common first; the rest is put together from the characters above.
_COMMON_GIVEN = """
伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 秀英 秀兰 桂英 玉兰 建华 建国 志强 文 辉 婷 鹏
慧 斌 俊杰 浩然 子涵 梓涵 欣怡 诗涵 浩宇 宇轩 子轩 雨桐 佳怡 一诺 思雨 梦瑶 嘉怡 天宇 晓东 晓燕 海燕 春梅
丽华 红梅 淑珍 玉梅 桂兰 国强 建军 永强 志明 文博 雪梅 小红 小明
"""

# Characters that are taken for one another because they look alike.
_LOOKALIKES = """
晴睛 宇字 宁丁 怡恰 涵函 桂佳 洁吉 军车 未末 天夫 杨扬 陈阵 玉王 李季 田由 白自 石右 琳淋 萍苹 莹萤 悦锐
晨辰 俊峻 博搏 浩诰 梅海 娟捐 婷停 倩债 磊垒 涛祷 峰烽 芳芬 莉利 兰三 伟玮 刚钢 明朋 鹏朋 轩轻 诺若 萱宣
睿容 翔祥 建健 永水 清情 淑椒 泽择 凯铠 斌赋 颖颍 薇微 璐露 晶品 思恩 欣欢 子于 可何 志忘 雪雷 吴昊 徐徒
郭郑 侯候 曹曾 刘列 黄簧 叶
"""

_CITIES = """
北京市:北京市:朝阳区 海淀区 丰台区 西城区 上海市:上海市:浦东新区 徐汇区 静安区 闵行区 广东省:广州市:天河区
越秀区 番禺区 广东省:深圳市:南山区 福田区 宝安区 浙江省:杭州市:西湖区 余杭区 滨江区 江苏省:南京市:鼓楼区
玄武区 江宁区 四川省:成都市:武侯区 锦江区 青羊区 湖北省:武汉市:洪山区 江汉区 武昌区 陕西省:西安市:雁塔区
碑林区 山东省:青岛市:市南区 崂山区 湖南省:长沙市:岳麓区 雨花区 河南省:郑州市:金水区 中原区
"""


def _list(text: str) -> list[str]:
    return text.split()


STREETS = _list("""
人民路 建设路 解放路 中山路 和平路 新华路 文化路 光明路 长江路 黄河路 学院路 科技路 花园路 幸福路 胜利路
迎宾大道 滨河路 环城北路 环城南路 东风路 南京路 北京路 湖滨路 工业大道 金融街 朝阳路 友谊路 青年路 育才路
民主路 太平街 西湖大道
""")

ESTATES = _list("""
阳光花园 锦绣家园 翠湖小区 东方名城 万科城 碧桂园 保利花园 绿地新城 中海华庭 金色家园 滨江苑 世纪新城
""")

MAIL_HOSTS = _list("""
qq.com 163.com 126.com gmail.com sina.com outlook.com
""")
COMPANY_HOSTS = _list("""
hengtong.com.cn ruida-tech.com huaxin.cn tianyuan.com.cn zhongke.cn jinfeng.com
""")
MOBILE_PREFIXES = _list("""
130 131 135 136 137 138 139 150 151 158 159 177 180 186 188 189
""")
AREA_CODES = {
    "北京市": "010", "上海市": "021", "广州市": "020", "深圳市": "0755", "杭州市": "0571", "南京市": "025",
    "成都市": "028", "武汉市": "027", "西安市": "029", "青岛市": "0532", "长沙市": "0731", "郑州市": "0371",
}  # fmt: skip

_WORD = re.compile(r"([^\W\d_a-zÀ-ǿ]+)([a-zÀ-ǿ]+)([^\W\d_a-zÀ-ǿ]*)(\d*)")


def _words(text: str) -> dict[str, Word]:
    found = (match.groups() for match in map(_WORD.fullmatch, text.split()) if match)
    return {
        word: Word(word, pinyin, other or word, int(weight or 1)) for word, pinyin, other, weight in found
    }


def toneless(pinyin: str) -> str:
    """Without tones: "lǚ" -> "lü", "wáng" -> "wang"."""
    marks = dict.fromkeys(map(ord, "\u0300\u0301\u0304\u030c"))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", pinyin).translate(marks))


SURNAMES = _words(_SURNAMES)
GIVEN = _words(_GIVEN)
COMMON_GIVEN = _COMMON_GIVEN.split()
CHARACTERS = {**GIVEN, **{word: entry for word, entry in SURNAMES.items() if len(word) == 1}}


def _homophones() -> dict[str, str]:
    sounds: dict[str, str] = {}
    for word in CHARACTERS.values():
        sounds[toneless(word.pinyin)] = sounds.get(toneless(word.pinyin), "") + word.text
    return {
        word.text: others
        for word in CHARACTERS.values()
        if (others := sounds[toneless(word.pinyin)].replace(word.text, ""))
    }


def _lookalikes() -> dict[str, str]:
    alike: dict[str, str] = {}
    for group in _LOOKALIKES.split():
        for character in group:
            alike[character] = alike.get(character, "") + group.replace(character, "")
    return {character: others for character, others in alike.items() if others}


HOMOPHONES = _homophones()
LOOKALIKES = _lookalikes()


def places() -> list[tuple[str, str, str]]:
    """(province, city, district) of every district known here."""
    found, province, city = [], "", ""
    for part in _CITIES.split():
        if ":" in part:
            province, city, part = part.split(":")
        found.append((province, city, part))
    return found
