"""Addresses of runs."""

from django.urls import path

from mpc.runs import views

app_name = "runs"
urlpatterns = [
    path("", views.RunList.as_view(), name="list"),
    path("export/", views.StartExport.as_view(), name="export"),
    path("start/", views.StartRun.as_view(), name="start"),
    path("start/products/", views.ProductNames.as_view(), name="products"),
    path("workers/", views.Workers.as_view(), name="workers"),
    path("queues/<str:name>/pause/", views.PauseQueue.as_view(), name="queue-pause"),
    path("queues/<str:name>/resume/", views.ResumeQueue.as_view(), name="queue-resume"),
    path("queues/<str:name>/limit/", views.LimitQueue.as_view(), name="queue-limit"),
    path("<int:pk>/", views.RunDetail.as_view(), name="detail"),
    path("<int:pk>/live/", views.RunLive.as_view(), name="live"),
    path("<int:pk>/log/", views.RunLog.as_view(), name="log"),
    path("<int:pk>/log.txt", views.RunLogText.as_view(), name="log-text"),
    path("<int:pk>/cancel/", views.CancelRun.as_view(), name="cancel"),
    path("<int:pk>/retry/", views.RetryRun.as_view(), name="retry"),
    path("<int:pk>/artifacts/<int:artifact_pk>/", views.Artifact.as_view(), name="artifact"),
]
