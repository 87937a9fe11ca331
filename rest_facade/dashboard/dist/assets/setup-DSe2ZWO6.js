import{C as e,_ as t,a as n,b as r,h as i,i as a,o,v as s}from"./basics-D16mzF1_.js";import{s as c,x as l}from"./format-BmA-kw4F.js";import{i as u,t as d}from"./query-LszIDBHt.js";import{t as f}from"./action-9D_TCoOU.js";function p({app:p}){t(l(`setup`),p.name);let{busy:h,run:_}=f(),v=d(`first ${p.appKey}`,async t=>(await e(r.GET(`/api/overview`,{params:{query:{appKey:p.appKey}},signal:t}))).totals.events,2e3),y=()=>_(async()=>{await e(r.POST(`/api/events/batch`,{body:{appKey:p.appKey,events:[m(p)]}})),i(l(`testEventSent`)),v.reload()}),b=(v.data??0)>0,x=g(p,location.origin);return s(`div`,{class:`stack`,style:{maxWidth:`820px`},children:[s(`h1`,{children:l(`setupOf`,{name:p.name})}),s(`p`,{class:b?`notice good`:`notice`,role:`status`,children:b?l(`firstEventArrived`,{n:c(v.data??0)}):l(`waitingForFirstEvent`)}),s(a,{title:l(`whatSdksNeed`),children:s(`table`,{class:`facts`,children:s(`tbody`,{children:[s(`tr`,{children:[s(`th`,{scope:`row`,children:l(`server`)}),s(`td`,{children:s(o,{text:location.origin})})]}),s(`tr`,{children:[s(`th`,{scope:`row`,children:l(`appKey`)}),s(`td`,{children:s(o,{text:p.appKey})})]}),s(`tr`,{children:[s(`th`,{scope:`row`,children:l(`projectId`)}),s(`td`,{children:s(o,{text:String(p.projectId)})})]})]})})}),s(a,{title:l(`snippet`),aside:s(n,{text:x}),flush:!0,children:s(`pre`,{class:`raw`,tabIndex:0,children:x})}),s(`div`,{class:`row`,children:[s(`button`,{class:`button main`,type:`button`,disabled:h,onClick:()=>void y(),children:l(`sendTestEvent`)}),s(`a`,{class:`button`,href:u.app(p.id),children:l(`toOverview`)})]})]})}function m(e){return{eventId:`evt_${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`,type:`error`,timestamp:Date.now(),platform:e.type,errorType:`test`,message:`Test event from the dashboard`,release:`test`,environment:`test`,pageUrl:location.origin,deviceInfo:{userAgent:navigator.userAgent,language:navigator.language}}}var h=new Set([`ios`,`android`,`react-native`]);function g(e,t){return h.has(e.type)?`// Swift, with OpenReplay's tracker
OpenReplay.shared.serverURL = "${t}/ingest"
OpenReplay.shared.start(projectKey: "${e.appKey}", options: .defaults)`:`// HealthGuard SDKs take the server and the app key above. Without one:
const report = (error, errorType) =>
  fetch("${t}/api/events/batch", {
    method: "POST",
    keepalive: true,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      appKey: "${e.appKey}",
      events: [{
        eventId: "evt_" + Date.now() + Math.random(),
        type: "error",
        timestamp: Date.now(),
        platform: "${e.type}",
        errorType,
        message: String(error?.message ?? error),
        stack: error?.stack,
        pageUrl: location.href,
      }],
    }),
  });
addEventListener("error", (event) => report(event.error ?? event.message, "js"));
addEventListener("unhandledrejection", (event) => report(event.reason, "promise"));`}export{p as SetupPage};