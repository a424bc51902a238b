/** The few words that the views show, in the editor's language. */
const WORDS = {
  en: {
    back: "One frame back",
    forward: "One frame forward",
    place: "Time · frame / frames",
    speed: "Playing speed",
    play: "Play or pause",
    slide: "Where one video ends and the other begins",
    unplayable: "This browser cannot play this file; the file itself is whole:",
    seconds: "s",
  },
  zh: {
    back: "后退一帧",
    forward: "前进一帧",
    place: "时间 · 帧 / 总帧数",
    speed: "播放速度",
    play: "播放 / 暂停",
    slide: "两段视频的分界位置",
    unplayable: "此浏览器无法播放该文件，但文件本身是完整的：",
    seconds: "秒",
  },
};

const isChinese = () => (window.app?.extensionManager?.setting?.get?.("Comfy.Locale") ?? "").startsWith("zh");

/** A word by its key. */
export const word = (key) => WORDS[isChinese() ? "zh" : "en"][key];
