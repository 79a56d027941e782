"""Addresses. None of them holds a tracking code or anything of a person."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import path

from desk.views import agent, citizen, files

urlpatterns = [
    path("", citizen.home, name="home"),
    path("demande/<slug:type>/", citizen.new, name="new"),
    path("suivi/", citizen.follow, name="follow"),
    path("suivi/agir/", citizen.act, name="follow-act"),
    path("suivi/fichier/", files.of_holder, name="follow-file"),
    path("agent/", agent.index, name="agent-list"),
    path("agent/demande/<uuid:id>/", agent.page, name="agent-page"),
    path("agent/demande/<uuid:id>/agir/", agent.act, name="agent-act"),
    path("agent/demande/<uuid:id>/fichier/<uuid:file>/", files.of_agent, name="agent-file"),
    path("connexion/", auth.LoginView.as_view(template_name="desk/login.html"), name="login"),
    path("deconnexion/", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
